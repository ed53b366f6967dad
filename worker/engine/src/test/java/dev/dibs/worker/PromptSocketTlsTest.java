package dev.dibs.worker;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class PromptSocketTlsTest {
  private static final String PASSWORD = "changeit";
  private static final int BYTES = 200_000;
  private static final int PIECE = 1_000;

  /** So many that a handshake is not held up. */
  private static final int PLENTY = 1_000_000;

  @TempDir Path folder;

  /** A record of TLS has up to 16 KiB; here each piece of it comes only after a look in vain. */
  @Test
  void aLookAtARecordThatIsStillComing_losesNothingOfIt() throws Exception {
    SSLContext context = selfSigned();
    byte[] sent = new byte[BYTES];
    new Random(7).nextBytes(sent);
    var pieces = new Semaphore(PLENTY);
    InetAddress here = InetAddress.getLoopbackAddress();
    try (var server = context.getServerSocketFactory().createServerSocket(0, 1, here);
        var relay = new ServerSocket(0, 1, here);
        var threads = Executors.newVirtualThreadPerTaskExecutor();
        Socket plain = new PromptSocketFactory().createSocket(here, relay.getLocalPort());
        Socket behind = relay.accept();
        Socket ahead = new Socket(here, server.getLocalPort());
        Socket serving = server.accept();
        var tls =
            (SSLSocket)
                context
                    .getSocketFactory()
                    .createSocket(plain, "localhost", relay.getLocalPort(), true)) {
      Future<?> written = threads.submit(() -> write(serving, sent));
      Future<?> there =
          threads.submit(() -> behind.getInputStream().transferTo(ahead.getOutputStream()));
      Future<?> back =
          threads.submit(() -> inPieces(ahead.getInputStream(), behind.getOutputStream(), pieces));
      tls.startHandshake();
      pieces.drainPermits();
      tls.setSoTimeout(1);
      assertThat(received(tls.getInputStream(), pieces)).isEqualTo(sent);
      written.get();
      assertThat(List.of(there, back)).noneMatch(Future::isDone);
    }
  }

  private static byte[] received(InputStream in, Semaphore pieces) throws IOException {
    var received = new ByteArrayOutputStream();
    byte[] buffer = new byte[BYTES];
    while (received.size() < BYTES) {
      try {
        received.write(buffer, 0, in.read(buffer));
      } catch (SocketTimeoutException inVain) {
        pieces.release();
      }
    }
    return received.toByteArray();
  }

  private static int write(Socket socket, byte[] sent) throws IOException {
    socket.getOutputStream().write(sent);
    return sent.length;
  }

  private static int inPieces(InputStream in, OutputStream out, Semaphore pieces)
      throws IOException, InterruptedException {
    int passed = 0;
    byte[] piece = new byte[PIECE];
    for (int read = in.read(piece); read >= 0; read = in.read(piece)) {
      pieces.acquire();
      out.write(piece, 0, read);
      passed += read;
    }
    return passed;
  }

  /** Client and server trust the one certificate that the JDK's own tool has made for them. */
  private SSLContext selfSigned() throws Exception {
    Path file = folder.resolve("keys.p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-keyalg",
                "EC",
                "-dname",
                "CN=localhost",
                "-storetype",
                "PKCS12",
                "-keystore",
                file.toString(),
                "-storepass",
                PASSWORD)
            .redirectErrorStream(true)
            .start();
    String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(keytool.waitFor()).as(said).isZero();
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(file)) {
      keys.load(in, PASSWORD.toCharArray());
    }
    var ours = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    ours.init(keys, PASSWORD.toCharArray());
    var trusted = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trusted.init(keys);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(ours.getKeyManagers(), trusted.getTrustManagers(), null);
    return context;
  }
}
