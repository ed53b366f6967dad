package dev.dibs.bench;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;

/** A pool as an application would have one, large enough that nobody waits. */
final class ConnectionPerThread extends HikariDataSource {
  private static final int SIZE = 16;

  ConnectionPerThread(BenchDatabase db) {
    super(config(db));
  }

  private static HikariConfig config(BenchDatabase db) {
    var config = new HikariConfig();
    config.setDataSource(db.dataSource());
    config.setMaximumPoolSize(SIZE);
    return config;
  }
}
