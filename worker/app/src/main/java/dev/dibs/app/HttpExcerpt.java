package dev.dibs.app;

import dev.dibs.Text;
import java.io.ByteArrayOutputStream;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow.Subscription;
import org.jspecify.annotations.Nullable;

/**
 * Reads the body of a response to its end, so that the connection can be used again, but no further
 * than a bound; keeps its beginning. Called by one thread at a time.
 */
final class HttpExcerpt implements BodySubscriber<String> {
  private static final int KEPT_BYTES = 1 << 10;
  private static final long MOST_BYTES = 1 << 20;

  private final CompletableFuture<String> excerpt = new CompletableFuture<>();
  private final ByteArrayOutputStream kept = new ByteArrayOutputStream(KEPT_BYTES);
  private @Nullable Subscription subscription;
  private long read;

  @Override
  public CompletionStage<String> getBody() {
    return excerpt;
  }

  @Override
  public void onSubscribe(Subscription subscription) {
    this.subscription = subscription;
    subscription.request(Long.MAX_VALUE);
  }

  @Override
  public void onNext(List<ByteBuffer> buffers) {
    for (ByteBuffer buffer : buffers) {
      read += buffer.remaining();
      byte[] bytes = new byte[Math.min(buffer.remaining(), KEPT_BYTES - kept.size())];
      buffer.get(bytes);
      kept.writeBytes(bytes);
    }
    if (read <= MOST_BYTES || subscription == null) return;
    subscription.cancel();
    onComplete();
  }

  /** The status line came before: a body that breaks off changes nothing about it. */
  @Override
  public void onError(Throwable e) {
    onComplete();
  }

  @Override
  public void onComplete() {
    excerpt.complete(Text.storable(kept.toString(StandardCharsets.UTF_8)));
  }
}
