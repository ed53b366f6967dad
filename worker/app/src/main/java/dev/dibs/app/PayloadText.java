package dev.dibs.app;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** What {@code --payload} means: the text itself, a file's, or that of standard input. */
final class PayloadText {
  /** A byte more than the largest payload that is taken anywhere. */
  private static final int MOST_READ = (16 << 20) + 1;

  private PayloadText() {}

  /**
   * The payload's JSON text.
   *
   * @throws UsageException if it cannot be read
   */
  static String read(String payload, Shell shell) throws IOException {
    if (payload.equals("-")) return decode(shell.in(), "standard input");
    if (!payload.startsWith("@")) return payload;
    Path file = Path.of(payload.substring(1));
    if (!Files.isReadable(file) || Files.isDirectory(file)) {
      throw new UsageException("the payload's file " + file + " cannot be read");
    }
    try (InputStream in = Files.newInputStream(file)) {
      return decode(in, file.toString());
    }
  }

  private static String decode(InputStream in, String name) throws IOException {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(in.readNBytes(MOST_READ)))
          .toString();
    } catch (CharacterCodingException e) {
      throw new UsageException("the payload in " + name + " is not valid UTF-8");
    }
  }
}
