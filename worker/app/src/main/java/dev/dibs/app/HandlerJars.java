package dev.dibs.app;

import dev.dibs.DibsException;
import dev.dibs.worker.HandlerProvider;
import dev.dibs.worker.Handlers;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.function.BiConsumer;
import java.util.jar.JarFile;
import java.util.stream.Stream;

/**
 * The jars of a directory and the handlers in them. One class loader for all, so that a handler's
 * jar may lie beside the libraries it needs; what dibs itself is made of comes first. Owned by the
 * command.
 */
final class HandlerJars implements AutoCloseable {
  private static final String DECLARATION = "META-INF/services/" + HandlerProvider.class.getName();

  private final Path directory;
  private final URLClassLoader loader;

  private HandlerJars(Path directory, URLClassLoader loader) {
    this.directory = directory;
    this.loader = loader;
  }

  /**
   * Opens the jars of a directory.
   *
   * @throws UsageException if there is no such directory or no jar in it
   * @throws DibsException if a jar cannot be read, or none declares a handler
   */
  static HandlerJars open(Path directory) {
    if (!Files.isDirectory(directory))
      throw new UsageException("--handlers " + directory + " is no directory");
    List<Path> jars = jarsIn(directory);
    if (jars.isEmpty()) throw new UsageException("--handlers " + directory + " holds no .jar");
    if (jars.stream().filter(HandlerJars::declaresHandlers).count() == 0) {
      throw new DibsException(
          "no jar in " + directory + " has a " + DECLARATION + " that names its HandlerProvider");
    }
    URL[] urls = jars.stream().map(HandlerJars::url).toArray(URL[]::new);
    return new HandlerJars(
        directory, new URLClassLoader("handlers", urls, HandlerJars.class.getClassLoader()));
  }

  private static List<Path> jarsIn(Path directory) {
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(file -> file.toString().endsWith(".jar")).sorted().toList();
    } catch (IOException e) {
      throw new DibsException("--handlers " + directory + " cannot be read: " + e, e);
    }
  }

  /** A class loader would pass over a jar that is broken. */
  private static boolean declaresHandlers(Path jar) {
    try (var file = new JarFile(jar.toFile())) {
      return file.getEntry(DECLARATION) != null;
    } catch (IOException e) {
      throw new DibsException("handler jar " + jar + " cannot be read: " + e.getMessage(), e);
    }
  }

  private static URL url(Path jar) {
    try {
      return jar.toUri().toURL();
    } catch (MalformedURLException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Where handlers' classes come from. */
  ClassLoader loader() {
    return loader;
  }

  /**
   * Hands over the handlers of each provider, with what to call the provider in messages.
   *
   * @throws DibsException if one cannot be loaded or fails
   */
  void forEachProvider(BiConsumer<String, Handlers> use) {
    for (ServiceLoader.Provider<HandlerProvider> provider : providers()) {
      String name = provider.type().getName() + " of " + jarOf(provider.type());
      var handlers = new Handlers();
      try {
        provider.get().provide(handlers);
      } catch (RuntimeException | ServiceConfigurationError | LinkageError e) {
        throw new DibsException("handlers of " + name + " cannot be loaded: " + reason(e), e);
      }
      use.accept(name, handlers);
    }
  }

  private List<ServiceLoader.Provider<HandlerProvider>> providers() {
    try {
      return ServiceLoader.load(HandlerProvider.class, loader).stream().toList();
    } catch (ServiceConfigurationError | LinkageError e) {
      throw new DibsException("handlers in " + directory + " cannot be loaded: " + reason(e), e);
    }
  }

  private static String jarOf(Class<?> type) {
    var source = type.getProtectionDomain().getCodeSource();
    return source == null
        ? "dibs itself"
        : source.getLocation().getPath().replaceFirst(".*/(?=.)", "");
  }

  /** The innermost cause is what the author of the jar needs. */
  private static String reason(Throwable e) {
    Throwable cause = e;
    while (cause.getCause() != null) cause = cause.getCause();
    return e.getCause() == null ? e.toString() : e.getMessage() + ": " + cause;
  }

  @Override
  public void close() {
    try {
      loader.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
