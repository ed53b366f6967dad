package dev.dibs.app;

import dev.dibs.DibsException;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Reads UTF-8 text line by line in bounded memory, and knows where it is. Owned by one thread.
 *
 * <p>{@link #next} moves to a line, {@link #text} decodes it: what is wrong with one line does not
 * hide the next.
 */
final class LineReader {
  /** Longer than any payload that is taken, with what surrounds it. */
  private static final int MAX_BYTES = 17 << 20;

  private static final String BYTE_ORDER_MARK = "\uFEFF";

  private final InputStream in;
  private final ByteArrayOutputStream line = new ByteArrayOutputStream();
  private long number;
  private long bytesRead;
  private boolean tooLong;

  LineReader(InputStream in) {
    this.in = new BufferedInputStream(in, 1 << 16);
  }

  /** Moves to the next line; false at the end. */
  boolean next() throws IOException {
    line.reset();
    tooLong = false;
    int next = in.read();
    if (next < 0) return false;
    number++;
    for (; next >= 0 && next != '\n'; next = in.read()) {
      bytesRead++;
      if (line.size() < MAX_BYTES) line.write(next);
      else tooLong = true;
    }
    bytesRead++;
    return true;
  }

  /**
   * The line without its end; null if it is blank.
   *
   * @throws DibsException if it is too long or not UTF-8
   */
  @Nullable String text() {
    if (tooLong) throw new DibsException("is longer than " + MAX_BYTES + " bytes");
    try {
      String text =
          StandardCharsets.UTF_8
              .newDecoder()
              .decode(ByteBuffer.wrap(line.toByteArray()))
              .toString();
      if (number == 1 && text.startsWith(BYTE_ORDER_MARK)) text = text.substring(1);
      return text.isBlank() ? null : text.strip();
    } catch (CharacterCodingException e) {
      throw new DibsException("is not valid UTF-8", e);
    }
  }

  /** The number of the line, from 1. */
  long number() {
    return number;
  }

  long bytesRead() {
    return bytesRead;
  }
}
