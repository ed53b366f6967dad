package dev.dibs.app;

import java.util.Map;

/**
 * What the JDK's HTTP server bears of its clients. It knows them as system properties alone, and
 * reads them when the first server of the process is made.
 */
final class ServerLimits {
  private static final Map<String, String> LIMITS =
      Map.of(
          "sun.net.httpserver.maxReqTime", "20", // seconds until a request has been read
          "sun.net.httpserver.maxRspTime", "120", // seconds until an answer has been sent
          "sun.net.httpserver.maxReqHeaders", "100",
          "sun.net.httpserver.maxReqHeaderSize", "65536",
          "sun.net.httpserver.maxIdleConnections", "1024",
          "sun.net.httpserver.nodelay", "true",
          "jdk.httpserver.maxConnections", "4096");

  private ServerLimits() {}

  /** Sets those that nobody has set. */
  static void set() {
    LIMITS.forEach(ServerLimits::set);
  }

  /** The same, but an answer may take as long as it likes, whoever else sets limits later. */
  static void setForStreams() {
    set("sun.net.httpserver.maxRspTime", "-1");
    set();
  }

  private static void set(String name, String value) {
    if (System.getProperty(name) == null) System.setProperty(name, value);
  }
}
