package dev.dibs.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.Kind;
import dev.dibs.Outcome;
import dev.dibs.producer.Producer;
import dev.dibs.testing.TestDatabase;
import dev.dibs.worker.Worker;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The README's lines, compiled and run. */
@Timeout(60)
class ReadmeTest {
  private static final Path README = Path.of("../../README.md");
  private static final Path SELF = Path.of("src/test/java/dev/dibs/app/ReadmeTest.java");

  record SendInvoice(long orderId) {}

  static final Kind<SendInvoice> SEND_INVOICE = Kind.of("send-invoice", SendInvoice.class);

  private void enqueue(Producer producer, Connection connection) {
    producer.enqueue(
        connection,
        SEND_INVOICE.task(new SendInvoice(42)).queue("mail").delay(Duration.ofMinutes(5)));
  }

  private void work(DataSource dataSource) throws InterruptedException {
    try (Worker worker =
        Worker.on(dataSource)
            .queue("mail", 20)
            .handle(
                SEND_INVOICE,
                (invoice, task) -> {
                  task.transaction(tx ->
                      tx.execute(
                          "update orders set invoiced = true where id = ?", invoice.orderId()));
                  return Outcome.done();
                })
            .stopAtExit()
            .start()) {
      worker.awaitShutdown();
    }
  }

  @Test
  void readme_runs() throws SQLException, InterruptedException {
    try (TestDatabase db = TestDatabase.create();
        Producer producer = Producer.on(db.dataSource());
        Connection connection = db.connect()) {
      db.execute("create table orders (id bigint, invoiced boolean)");
      db.execute("insert into orders values (42, false)");
      enqueue(producer, connection);
      assertThat(db.tasks("SCHEDULED")).isEqualTo(1);
      db.execute("update dibs.task set run_at = now()");
      Thread worker =
          Thread.ofPlatform()
              .start(() -> {
                try {
                  work(db.dataSource());
                } catch (InterruptedException e) {
                  Thread.currentThread().interrupt();
                }
              });
      Awaitility.await().until(() -> "t".equals(db.value("select invoiced from orders")));
      assertThat(db.finished("SUCCEEDED")).isEqualTo(1);
      worker.interrupt();
      worker.join();
    }
  }

  @Test
  void readme_showsTheLinesThatRun() throws IOException {
    Matcher block =
        Pattern.compile("```java\n(.*?)```", Pattern.DOTALL).matcher(Files.readString(README));
    assertThat(block.find()).isTrue();
    String source = squeezed(Files.readString(SELF));
    List<String> statements =
        block.group(1).lines().map(line -> line.replaceAll("//.*", "").strip()).toList();
    assertThat(statements)
        .isNotEmpty()
        .allSatisfy(line -> assertThat(source).contains(squeezed(line)));
  }

  private static String squeezed(String text) {
    return text.replaceAll("\\s", "");
  }

  @Test
  void ci_runsTheReadmesTestCommand() throws IOException {
    assertThat(Files.readString(README)).contains("\n    mvn verify\n");
    assertThat(Files.readString(Path.of("../../.ci/run"))).contains("\nmvn verify\n");
  }
}
