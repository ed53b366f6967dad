package dev.dibs.app;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Leads to a database, and can be cut and mended, or lose what the database answers. */
final class Cable implements AutoCloseable {
  private static final Pattern ADDRESS = Pattern.compile("//([^:/]+):(\\d+)/");

  private final String url;
  private final ServerSocket end;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private volatile boolean cut;
  private volatile boolean loses;

  Cable(String url) {
    this.url = url;
    try {
      end = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread.ofVirtual().start(this::accept);
  }

  /** The address of the database by way of this. */
  String url() {
    return ADDRESS.matcher(url).replaceFirst("//127.0.0.1:" + end.getLocalPort() + "/");
  }

  void cut() {
    cut = true;
    sockets.forEach(Cable::close);
  }

  void mend() {
    cut = false;
    loses = false;
  }

  /** From now on no answer arrives. */
  void loseAnswers() {
    loses = true;
  }

  private void accept() {
    Matcher address = ADDRESS.matcher(url);
    if (!address.find()) throw new IllegalArgumentException(url);
    while (!end.isClosed()) {
      try {
        Socket client = end.accept();
        if (cut) {
          close(client);
          continue;
        }
        var server = new Socket(address.group(1), Integer.parseInt(address.group(2)));
        sockets.add(client);
        sockets.add(server);
        if (cut) { // meanwhile
          close(client);
          close(server);
        }
        Thread.ofVirtual().start(() -> pump(client, server, false));
        Thread.ofVirtual().start(() -> pump(server, client, true));
      } catch (IOException e) {
        if (!end.isClosed()) throw new UncheckedIOException(e);
      }
    }
  }

  private void pump(Socket from, Socket to, boolean answers) {
    byte[] some = new byte[8 << 10];
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int read = in.read(some); read >= 0; read = in.read(some)) {
        if (!answers || !loses) out.write(some, 0, read);
      }
    } catch (IOException e) {
      close(to); // cut
    }
  }

  private static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    try {
      end.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    sockets.forEach(Cable::close);
  }
}
