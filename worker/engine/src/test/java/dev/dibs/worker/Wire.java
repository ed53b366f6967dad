package dev.dibs.worker;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/** A network between a test and its database, which can swallow everything without a word. */
final class Wire implements AutoCloseable {
  private final String url;
  private final URI server;
  private final ServerSocket entry;
  private final Queue<Socket> sockets = new ConcurrentLinkedQueue<>();
  private final AtomicInteger connections = new AtomicInteger();
  private volatile int swallowed;

  Wire(String url) throws IOException {
    this.url = url;
    this.server = URI.create(url.substring("jdbc:".length()));
    this.entry = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    Thread.ofVirtual().start(this::accept);
  }

  /** The database's address through this wire. */
  String url() {
    return url.replaceFirst("//[^/]*/", "//127.0.0.1:" + entry.getLocalPort() + "/");
  }

  /** From now on nothing arrives any more, and nobody is told. */
  void swallow() {
    swallowed = Integer.MAX_VALUE;
  }

  /** From now on nothing arrives any more on the connections that are open; new ones are fine. */
  void swallowWhatIsOpen() {
    swallowed = connections.get();
  }

  private void accept() {
    try {
      while (true) {
        Socket here = entry.accept();
        sockets.add(here);
        Socket there = new Socket(server.getHost(), server.getPort());
        sockets.add(there);
        int number = connections.getAndIncrement();
        Thread.ofVirtual().start(() -> pump(number, here, there));
        Thread.ofVirtual().start(() -> pump(number, there, here));
      }
    } catch (IOException e) {
      close();
    }
  }

  private void pump(int number, Socket from, Socket to) {
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      byte[] bytes = new byte[8192];
      for (int n = in.read(bytes); n >= 0; n = in.read(bytes)) {
        if (number >= swallowed) out.write(bytes, 0, n);
      }
    } catch (IOException e) {
      // the other end is gone
    }
  }

  @Override
  public void close() {
    try {
      entry.close();
      for (Socket socket : sockets) socket.close();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
