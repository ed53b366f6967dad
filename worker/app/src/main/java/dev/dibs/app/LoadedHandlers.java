package dev.dibs.app;

import dev.dibs.DibsException;
import dev.dibs.Kind;
import dev.dibs.Outcome;
import dev.dibs.worker.Handlers;
import dev.dibs.worker.Worker;
import dev.dibs.worker.WorkerBuilder;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The built-in kinds and those from jars, with what they hold open. Owned by the command. */
final class LoadedHandlers implements AutoCloseable {
  private static final String BUILT_IN = "dibs itself";

  private final Handlers handlers = new Handlers();
  private final Map<String, String> providers = new HashMap<>();
  private final HttpKind http;
  private final @Nullable HandlerJars jars;

  private LoadedHandlers(HttpKind http, ExecKind exec, @Nullable HandlerJars jars) {
    this.http = http;
    this.jars = jars;
    add(
        BUILT_IN,
        new Handlers()
            .handle(HttpKind.KIND, http)
            .handle(ExecKind.KIND, exec)
            .handle(Kind.json("noop"), (payload, task) -> Outcome.done()));
  }

  /**
   * Loads what the options name.
   *
   * @throws DibsException if a jar's handlers cannot be loaded, or a kind has two
   */
  static LoadedHandlers load(HandlerOptions options) {
    var exec = new ExecKind(options.execAllow);
    HandlerJars jars = options.directory == null ? null : HandlerJars.open(options.directory);
    var loaded =
        new LoadedHandlers(new HttpKind(options.httpAllow, options.httpTimeout), exec, jars);
    try {
      if (jars != null) jars.forEachProvider(loaded::add);
      return loaded;
    } catch (DibsException e) {
      loaded.close();
      throw e;
    }
  }

  private void add(String provider, Handlers more) {
    for (String kind : more.kinds()) {
      String first = providers.putIfAbsent(kind, provider);
      if (first != null) {
        throw new DibsException(
            "kind '%s' has two handlers, from %s and from %s; remove one"
                .formatted(kind, first, provider));
      }
    }
    handlers.handleAll(more);
  }

  Set<String> kinds() {
    return handlers.kinds();
  }

  /**
   * Starts a worker with these handlers. Its threads inherit the jars' loader, which libraries in
   * them ask for.
   */
  Worker start(WorkerBuilder builder) {
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    if (jars != null) thread.setContextClassLoader(jars.loader());
    try {
      return builder.handlers(handlers).start();
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  @Override
  public void close() {
    http.close();
    if (jars != null) jars.close();
  }
}
