package dev.dibs.worker;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import javax.net.SocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * Sockets for the connections of a data source, on which workers hear of new tasks a millisecond
 * sooner.
 *
 * <p>Having read a notification, the PostgreSQL driver looks whether there is more, and waits for
 * that, a millisecond, by a read with this timeout. On these sockets such a read answers at once
 * what it would answer after it: that nothing is there. All else is as on other sockets, TLS too.
 * {@code dibs} uses it; elsewhere it is a property of the data source:
 *
 * {@snippet :
 * dataSource.setSocketFactory(PromptSocketFactory.class.getName());
 * }
 *
 * or {@code socketFactory=dev.dibs.worker.PromptSocketFactory} in the URL. Thread-safe.
 */
public final class PromptSocketFactory extends SocketFactory {
  /** The shortest timeout there is: who asks for it only wants to look. */
  private static final int LOOK_MILLIS = 1;

  @Override
  public Socket createSocket() {
    return new PromptSocket();
  }

  @Override
  public Socket createSocket(String host, int port) throws IOException {
    return createSocket(InetAddress.getByName(host), port);
  }

  @Override
  public Socket createSocket(InetAddress host, int port) throws IOException {
    return createSocket(host, port, null, 0);
  }

  @Override
  public Socket createSocket(String host, int port, @Nullable InetAddress localHost, int localPort)
      throws IOException {
    return createSocket(InetAddress.getByName(host), port, localHost, localPort);
  }

  @Override
  public Socket createSocket(
      InetAddress host, int port, @Nullable InetAddress localHost, int localPort)
      throws IOException {
    Socket socket = createSocket();
    try {
      socket.bind(new InetSocketAddress(localHost, localPort));
      socket.connect(new InetSocketAddress(host, port));
      return socket;
    } catch (IOException | RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  private static final class PromptSocket extends Socket {
    @Override
    public InputStream getInputStream() throws IOException {
      return new PromptInput(super.getInputStream(), this::getSoTimeout);
    }
  }

  /** How long reads of a socket wait, in milliseconds; 0: for ever. */
  @FunctionalInterface
  interface Timeout {
    int millis() throws IOException;
  }

  /** What a socket receives; whoever only wants to look does not wait. */
  static final class PromptInput extends FilterInputStream {
    private final Timeout timeout;

    PromptInput(InputStream in, Timeout timeout) {
      super(in);
      this.timeout = timeout;
    }

    @Override
    public int read() throws IOException {
      refuseToWait();
      return super.read();
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      if (length > 0) refuseToWait();
      return super.read(buffer, offset, length);
    }

    private void refuseToWait() throws IOException {
      if (timeout.millis() == LOOK_MILLIS && in.available() == 0)
        throw new SocketTimeoutException("nothing is there");
    }
  }
}
