package dev.dibs.console;

import static java.time.Duration.ofSeconds;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A browser as far as the console needs one: cookies, forms, and where a request comes from. */
final class Client implements AutoCloseable {
  private static final Pattern TOKEN =
      Pattern.compile("name=\"csrf\" (?:content|value)=\"([^\"]*)\"");
  private static final Pattern REQUEST = Pattern.compile("name=\"request\" value=\"([^\"]*)\"");

  private final HttpClient http = HttpClient.newHttpClient();
  private final String url;
  private final Map<String, String> cookies = new LinkedHashMap<>();

  Client(String url) {
    this.url = url;
  }

  /** What came back. */
  record Page(int status, String body, HttpResponse<String> response) {
    Optional<String> header(String name) {
      return response.headers().firstValue(name);
    }

    String location() {
      return header("Location").orElse("");
    }

    /** The token that its forms hold. */
    String token() {
      return found(TOKEN);
    }

    /** The id of the request that its form makes. */
    String request() {
      return found(REQUEST);
    }

    private String found(Pattern pattern) {
      Matcher matcher = pattern.matcher(body);
      return matcher.find() ? matcher.group(1) : "";
    }
  }

  /** Logs in with the password that all have. */
  Client as(String name, String password) {
    Page page = get("/login");
    post("/login", page.token(), "name", name, "password", password);
    return this;
  }

  /** Once the console has looked: pages wait 3 s for that, a busy machine may need more. */
  Client looked() {
    await().atMost(ofSeconds(60)).until(() -> get("/").body().contains("(primary)"));
    return this;
  }

  Page get(String path, String... headers) {
    return send(request(path).GET(), headers);
  }

  /** Sends a form as a page of the console would. */
  Page post(String path, String token, String... fields) {
    return send(form(path, token, fields), "Sec-Fetch-Site", "same-origin");
  }

  HttpRequest.Builder form(String path, String token, String... fields) {
    List<String> pairs = new ArrayList<>(List.of("csrf=" + encoded(token)));
    for (int i = 0; i < fields.length; i += 2) pairs.add(fields[i] + "=" + encoded(fields[i + 1]));
    return request(path)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .POST(BodyPublishers.ofString(String.join("&", pairs)));
  }

  /** A token that the forms of this browser hold. */
  String token() {
    return get("/login").token();
  }

  HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create(url + path));
  }

  Page send(HttpRequest.Builder builder, String... headers) {
    if (headers.length > 0) builder.headers(headers);
    if (!cookies.isEmpty()) {
      List<String> pairs = new ArrayList<>();
      cookies.forEach((name, value) -> pairs.add(name + "=" + value));
      builder.header("Cookie", String.join("; ", pairs));
    }
    try {
      HttpResponse<String> response = http.send(builder.build(), BodyHandlers.ofString());
      for (String cookie : response.headers().allValues("Set-Cookie")) {
        String[] pair = cookie.split(";", 2)[0].split("=", 2);
        cookies.put(pair[0], pair[1]);
      }
      return new Page(response.statusCode(), response.body(), response);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  Map<String, String> cookies() {
    return cookies;
  }

  static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    http.close();
  }
}
