package dev.dibs.app;

import java.io.BufferedWriter;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.FilterWriter;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a command prints; it remembers why not all of it could be written, which other print writers
 * forget. Thread-safe.
 */
final class Output extends PrintWriter {
  private final Watched watched;

  Output(Writer to) {
    this(new Watched(to));
  }

  private Output(Watched watched) {
    super(watched, true);
    this.watched = watched;
  }

  /**
   * UTF-8 whatever the locale: in a container that has none, names and JSON must come out whole.
   */
  static Output to(FileDescriptor descriptor) {
    return new Output(
        new BufferedWriter(
            new OutputStreamWriter(new FileOutputStream(descriptor), StandardCharsets.UTF_8)));
  }

  /** Why something that was printed so far did not come out, if that is so. */
  Optional<IOException> failure() {
    flush();
    return Optional.ofNullable(watched.failure);
  }

  /** Whether the reader left because it had seen enough, as {@code head} does. */
  static boolean isReaderGone(IOException failure) {
    return "Broken pipe".equals(failure.getMessage());
  }

  /** Sees the exceptions that a print writer keeps to itself. */
  private static final class Watched extends FilterWriter {
    private volatile @Nullable IOException failure;

    Watched(Writer to) {
      super(to);
    }

    @Override
    public void write(int character) throws IOException {
      write(new char[] {(char) character}, 0, 1);
    }

    @Override
    public void write(String text, int from, int length) throws IOException {
      write(text.toCharArray(), from, length);
    }

    @Override
    public void write(char[] text, int from, int length) throws IOException {
      try {
        super.write(text, from, length);
      } catch (IOException e) {
        throw failed(e);
      }
    }

    @Override
    public void flush() throws IOException {
      try {
        super.flush();
      } catch (IOException e) {
        throw failed(e);
      }
    }

    private IOException failed(IOException e) {
      failure = e;
      return e;
    }
  }
}
