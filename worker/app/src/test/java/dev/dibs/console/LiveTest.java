package dev.dibs.console;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.console.testing.Scene;
import dev.dibs.console.testing.TestConsole;
import dev.dibs.testing.TestDatabase;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The stream that keeps a page up to date. */
@Timeout(120)
class LiveTest {
  private static TestDatabase database;
  private static TestConsole console;
  private static HttpClient http;

  @BeforeAll
  static void start() {
    database = TestDatabase.create();
    Scene.on(database).workers();
    console = TestConsole.withUsers(database);
    http = HttpClient.newHttpClient();
  }

  @AfterAll
  static void stop() {
    http.close();
    console.close();
    database.close();
  }

  private static HttpResponse<InputStream> stream(Client client, String page, String site)
      throws IOException, InterruptedException {
    return http.send(
        HttpRequest.newBuilder(URI.create(console.url() + "/live?page=" + Client.encoded(page)))
            .header("Cookie", "dibs=" + client.cookies().get("dibs"))
            .header("Sec-Fetch-Site", site)
            .build(),
        BodyHandlers.ofInputStream());
  }

  /** A body that nobody reads would keep the client from closing. */
  private static int status(Client client, String page, String site)
      throws IOException, InterruptedException {
    HttpResponse<InputStream> answer = stream(client, page, site);
    answer.body().close();
    return answer.statusCode();
  }

  /** Reads up to the first event of that name, and what it carries. */
  private static String next(BufferedReader reader, String name) throws IOException {
    boolean found = false;
    var body = new StringBuilder();
    for (@Nullable String line = reader.readLine(); line != null; line = reader.readLine()) {
      if (line.equals("event: " + name)) found = true;
      else if (found && line.startsWith("data: ")) body.append(line.substring(6)).append('\n');
      else if (found && line.isEmpty()) return body.toString();
    }
    return "ended";
  }

  private static BufferedReader reader(HttpResponse<InputStream> stream) {
    return new BufferedReader(new InputStreamReader(stream.body(), UTF_8));
  }

  @Test
  void stream_sendsThePageAndEndsWithTheSession() throws Exception {
    try (Client otto = new Client(console.url()).as("otto", TestConsole.PASSWORD);
        BufferedReader reader = reader(stream(otto, "/workers", "same-origin"))) {
      assertThat(next(reader, "page"))
          .startsWith("<main")
          .contains("mail-7f9c-2:4121")
          .contains("</main>");
      otto.post("/logout", otto.get("/").token());
      assertThat(next(reader, "over")).isNotEqualTo("ended");
      assertThat(reader.readLine()).as("and no more").isNull();
    }
  }

  @Test
  void stream_isForPagesOfThisConsoleAlone() throws Exception {
    try (Client ada = new Client(console.url()).as("ada", TestConsole.PASSWORD)) {
      assertThat(status(ada, "/", "cross-site")).isEqualTo(403);
      for (String page : List.of("//evil.example/", "https://evil.example", "/live?page=/", "x"))
        assertThat(status(ada, page, "same-origin")).as(page).isEqualTo(400);
    }
  }

  @Test
  void stream_beyondTheThirdOfASessionIsToldToPoll() throws Exception {
    try (Client vera = new Client(console.url()).as("vera", TestConsole.PASSWORD)) {
      List<HttpResponse<InputStream>> streams = new ArrayList<>();
      for (int i = 0; i < 3; i++) streams.add(stream(vera, "/", "same-origin"));
      assertThat(streams).allMatch(stream -> stream.statusCode() == 200);
      assertThat(status(vera, "/", "same-origin")).isEqualTo(204);
      for (HttpResponse<InputStream> stream : streams) stream.body().close();
    }
  }
}
