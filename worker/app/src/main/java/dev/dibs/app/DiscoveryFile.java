package dev.dibs.app;

import dev.dibs.DibsException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.function.Supplier;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The file by which the processes of one user find the embedded PostgreSQL that one of them
 * started.
 *
 * <p>Only that user can read it. It lies in {@code ~/.dibs}, or where the system property {@code
 * dibs.home} says.
 */
final class DiscoveryFile {
  /** Where the database is, and the process that ends it. */
  record Entry(String url, long pid) {}

  private static final JsonMapper JSON = JsonMapper.shared();

  private final Path directory;
  private final Path file;

  private DiscoveryFile(Path directory) {
    this.directory = directory;
    this.file = directory.resolve("embedded.json");
  }

  static DiscoveryFile ofUser() {
    String home = System.getProperty("dibs.home");
    return new DiscoveryFile(
        home == null ? Path.of(System.getProperty("user.home"), ".dibs") : Path.of(home));
  }

  /** What the file says, if it is there and whole. */
  Optional<Entry> read() {
    try {
      return Optional.of(JSON.readValue(Files.readString(file), Entry.class));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException | JacksonException e) {
      throw new DibsException(
          file + " cannot be read: " + e.getMessage() + "; delete it or give --database-url", e);
    }
  }

  /** Replaces the file in one step. */
  void write(Entry entry) {
    try {
      Path next = Files.createTempFile(directory, "embedded", ".tmp", only("rw-------"));
      Files.writeString(next, JSON.writeValueAsString(entry));
      Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw unwritable(e);
    }
  }

  /** Deletes the file if it still announces {@code url}. */
  void deleteIfOf(String url) {
    try {
      if (Files.exists(file) && read().filter(entry -> entry.url().equals(url)).isPresent())
        Files.deleteIfExists(file);
    } catch (IOException e) {
      throw unwritable(e);
    }
  }

  /**
   * Runs {@code action} while no other process does so: two that start at once must not start two
   * databases.
   */
  synchronized <T> T exclusively(Supplier<T> action) {
    try {
      Files.createDirectories(directory, only("rwx------"));
      try (FileChannel channel =
              FileChannel.open(
                  directory.resolve("embedded.lock"),
                  StandardOpenOption.CREATE,
                  StandardOpenOption.WRITE);
          var lock = channel.lock()) {
        if (!lock.isValid()) throw new IOException("no lock");
        return action.get();
      }
    } catch (IOException e) {
      throw unwritable(e);
    }
  }

  private DibsException unwritable(IOException e) {
    return new DibsException(
        file + " cannot be written: " + e + "; check the directory or give --database-url", e);
  }

  /** Nothing where the file system knows no such permissions. */
  private FileAttribute<?>[] only(String permissions) {
    return directory.getFileSystem().supportedFileAttributeViews().contains("posix")
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
        }
        : new FileAttribute<?>[0];
  }
}
