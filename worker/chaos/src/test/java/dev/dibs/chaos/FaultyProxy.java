package dev.dibs.chaos;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;

/**
 * A TCP proxy on this machine that does to its connections what networks do. Thread-safe.
 *
 * <p>While it swallows, bytes wait here and nobody is told, as with a cable that was pulled; when
 * the weather is fair again they go on, or never if their connection was reset meanwhile.
 */
final class FaultyProxy implements AutoCloseable {
  /** What the network does at present. */
  private sealed interface Weather {
    record Fair() implements Weather {}

    record Delay(Duration each) implements Weather {}

    record Swallow() implements Weather {}

    /** Nobody gets through, and nobody stays connected. */
    record Refuse() implements Weather {}
  }

  private static final int BUFFER = 16 << 10;

  private final IntSupplier target;
  private final ServerSocket door;
  private final Set<Pair> pairs = ConcurrentHashMap.newKeySet();
  private final AtomicInteger repliesToCut = new AtomicInteger();
  private final Object change = new Object();
  private Weather weather = new Weather.Fair();
  private volatile String cut = "";
  private volatile boolean closed;

  /** A proxy to the local port that {@code target} names whenever somebody connects. */
  FaultyProxy(IntSupplier target) {
    this.target = target;
    try {
      this.door = new ServerSocket(0, 200, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread.ofPlatform().daemon().name("proxy-" + port()).start(this::accept);
  }

  int port() {
    return door.getLocalPort();
  }

  void delay(Duration each) {
    become(new Weather.Delay(each));
  }

  void swallow() {
    become(new Weather.Swallow());
  }

  void refuse() {
    become(new Weather.Refuse());
    reset();
  }

  /** All is well from now on; what was swallowed is delivered. */
  void heal() {
    repliesToCut.set(0);
    become(new Weather.Fair());
  }

  /** Resets all connections. */
  void reset() {
    pairs.forEach(Pair::reset);
  }

  /**
   * Lets the next {@code count} answers of the server vanish together with their connections. The
   * server has done by then what it was asked for, and has committed it.
   */
  void cutReplies(int count) {
    cutReplies(count, "");
  }

  /** The same for those answers only that hold this text. */
  void cutReplies(int count, String holding) {
    cut = holding;
    repliesToCut.set(count);
  }

  private void become(Weather next) {
    synchronized (change) {
      weather = next;
      change.notifyAll();
    }
  }

  /** Waits until the weather lets bytes through; false if it never will. */
  private boolean passes() throws InterruptedException {
    synchronized (change) {
      if (weather instanceof Weather.Delay(Duration each)) {
        long deadline = System.nanoTime() + each.toNanos();
        for (long left = each.toMillis();
            left > 0 && weather instanceof Weather.Delay;
            left = (deadline - System.nanoTime()) / 1_000_000) {
          change.wait(left);
        }
      }
      while (weather instanceof Weather.Swallow && !closed) change.wait();
      return !(weather instanceof Weather.Refuse) && !closed;
    }
  }

  private void accept() {
    while (!closed) {
      try {
        new Pair(door.accept()).start();
      } catch (IOException e) {
        // closed, which the loop sees, or a client that went at once
      }
    }
  }

  /** A client's connection and ours to the server. */
  private final class Pair {
    private final Socket client;
    private final Socket server = new Socket();

    Pair(Socket client) {
      this.client = client;
    }

    void start() {
      pairs.add(this);
      Thread.ofVirtual().start(this::connect);
    }

    private void connect() {
      try {
        if (!passes()) {
          reset();
          return;
        }
        client.setTcpNoDelay(true);
        server.connect(
            new java.net.InetSocketAddress(InetAddress.getLoopbackAddress(), target.getAsInt()));
        server.setTcpNoDelay(true);
        Thread.ofVirtual().start(() -> pump(client, server, false));
        pump(server, client, true);
      } catch (IOException | InterruptedException e) {
        reset();
      }
    }

    private void pump(Socket from, Socket to, boolean replies) {
      byte[] buffer = new byte[BUFFER];
      try {
        for (int read = from.getInputStream().read(buffer);
            read >= 0;
            read = from.getInputStream().read(buffer)) {
          if (!passes() || (replies && isCut(buffer, read))) {
            reset();
            return;
          }
          to.getOutputStream().write(buffer, 0, read);
        }
      } catch (IOException | InterruptedException e) {
        reset();
        return;
      }
      end(); // not a reset: what was said last, such as why, is still to be read
    }

    private void end() {
      pairs.remove(this);
      for (Socket socket : new Socket[] {client, server}) {
        try {
          socket.close();
        } catch (IOException e) {
          // closed already
        }
      }
    }

    private boolean isCut(byte[] reply, int length) {
      if (repliesToCut.get() == 0) return false;
      if (!new String(reply, 0, length, StandardCharsets.ISO_8859_1).contains(cut)) return false;
      return repliesToCut.getAndUpdate(left -> Math.max(0, left - 1)) > 0;
    }

    void reset() {
      pairs.remove(this);
      for (Socket socket : new Socket[] {client, server}) {
        try (socket) {
          socket.setSoLinger(true, 0);
        } catch (IOException e) {
          // closed already
        }
      }
    }
  }

  @Override
  public void close() {
    closed = true;
    become(new Weather.Refuse());
    reset();
    try {
      door.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
