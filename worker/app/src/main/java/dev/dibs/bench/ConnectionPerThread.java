package dev.dibs.bench;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.dibs.producer.Producer;
import dev.dibs.producer.ProducerSettings;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** A pool as an application would have one, large enough that nobody waits, and full. */
final class ConnectionPerThread extends HikariDataSource {
  /** One more for the bell that a producer rings beside its callers. */
  private static final int BELLS = 1;

  private final BenchDatabase db;

  ConnectionPerThread(BenchDatabase db, int threads) throws SQLException {
    super(config(db, threads + BELLS));
    this.db = db;
    open(threads + BELLS);
  }

  private static HikariConfig config(BenchDatabase db, int connections) {
    var config = new HikariConfig();
    config.setDataSource(db.dataSource());
    config.setMaximumPoolSize(connections);
    return config;
  }

  /** Before the clock runs: opening a connection costs more than a hundred commits. */
  private void open(int connections) throws SQLException {
    List<Connection> taken = new ArrayList<>();
    try {
      for (int i = 0; i < connections; i++) taken.add(getConnection());
    } finally {
      for (Connection connection : taken) connection.close();
    }
  }

  Producer producer() {
    return Producer.on(this, settings());
  }

  ProducerSettings settings() {
    return ProducerSettings.DEFAULT.withSchema(db.schema());
  }
}
