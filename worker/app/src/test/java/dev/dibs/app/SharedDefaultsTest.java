package dev.dibs.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.BulkOrder;
import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.operations.Doctor.Thresholds;
import dev.dibs.sql.Schema;
import dev.dibs.worker.WorkerSettings;
import java.io.IOException;
import java.io.StringWriter;
import java.util.Map;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** What an option stands at where nobody gives it is what the library does where nobody says. */
class SharedDefaultsTest {
  private static <O> O parsed(O options) {
    var line = new CommandLine(options);
    Converters.register(line);
    line.parseArgs();
    return options;
  }

  @Test
  void worker_worksAsTheEngineDoes() {
    assertThat(parsed(new EngineOptions()).settings(Schema.DEFAULT))
        .isEqualTo(WorkerSettings.DEFAULT);
  }

  @Test
  void doctor_findsWhatTheLibraryFinds() {
    assertThat(parsed(new ThresholdOptions()).thresholds()).isEqualTo(Thresholds.DEFAULT);
  }

  @Test
  void bulk_isAsFastAsTheLibrarys() {
    assertThat(parsed(new TaskTarget()).rate).isEqualTo(BulkOrder.USUAL_PER_SECOND);
  }

  @Test
  void gateway_isBoundedAsItsSettingsAre() {
    Shell shell = Run.shell("", new StringWriter(), new StringWriter(), Map.of());
    GatewayCommand gateway = parsed(new GatewayCommand(shell));
    assertThat(
            new GatewaySettings(
                gateway.maxBody, gateway.maxPayload, gateway.maxRequests, gateway.connections))
        .isEqualTo(GatewaySettings.DEFAULT);
  }

  @Test
  void enqueue_makesTheTasksOfAProducer() throws IOException {
    Shell shell = Run.shell("", new StringWriter(), new StringWriter(), Map.of());
    assertThat(parsed(new TaskContent()).task(shell).options())
        .isEqualTo(Kind.json("noop").task(new Json("{}")).options());
  }
}
