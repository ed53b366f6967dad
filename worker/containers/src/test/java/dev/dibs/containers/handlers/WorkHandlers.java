package dev.dibs.containers.handlers;

import dev.dibs.Kind;
import dev.dibs.Outcome;
import dev.dibs.worker.HandlerProvider;
import dev.dibs.worker.Handlers;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Takes its time, then leaves one row for each task, in the transaction that completes it. */
public final class WorkHandlers implements HandlerProvider {
  public static final Kind<Work> WORK = Kind.of("work", Work.class);

  /** Says in the jar which version of the handlers it holds. */
  public static final String VERSION_FILE = "shop-version";

  @Override
  public void provide(Handlers handlers) {
    int version = version();
    handlers.handle(
        WORK,
        (work, task) -> {
          take(work.millis());
          task.transaction(tx ->
              tx.execute("insert into effect (task, version) values (?, ?)", task.id(), version));
          return Outcome.done();
        });
  }

  private static void take(long millis) throws InterruptedException {
    if (new CountDownLatch(1).await(millis, TimeUnit.MILLISECONDS))
      throw new IllegalStateException("nobody counts down");
  }

  private static int version() {
    try (InputStream file = WorkHandlers.class.getResourceAsStream("/" + VERSION_FILE)) {
      if (file == null) throw new IllegalStateException("the jar has no " + VERSION_FILE);
      return Integer.parseInt(new String(file.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
