package dev.dibs.app;

import dev.dibs.DibsException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The tokens that the gateway knows, from a file of one JSON object a line: name, sha256, queues
 * and, where wanted, rate. Immutable.
 */
final class Tokens {
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final Set<String> FIELDS = Set.of("name", "sha256", "queues", "rate");
  private static final String SCHEME = "Bearer ";

  private final List<Token> tokens;

  private Tokens(List<Token> tokens) {
    this.tokens = tokens;
  }

  /** Everybody may enqueue into every queue. */
  static Tokens none() {
    return new Tokens(List.of());
  }

  /**
   * The tokens of a file; lines that are empty or begin with # are left out.
   *
   * @throws UsageException if it cannot be read or means none
   */
  static Tokens read(Path file) {
    try {
      List<Token> tokens = new ArrayList<>();
      List<String> lines = Files.readAllLines(file);
      for (int i = 0; i < lines.size(); i++) {
        String line = lines.get(i).strip();
        if (!line.isEmpty() && !line.startsWith("#")) tokens.add(token(file, i + 1, line));
      }
      return checked(file, tokens);
    } catch (IOException e) {
      throw new UsageException("--tokens " + file + " cannot be read: " + e.getMessage());
    }
  }

  private static Tokens checked(Path file, List<Token> tokens) {
    if (tokens.isEmpty()) throw new UsageException("--tokens " + file + " names no token");
    Set<String> seen = new HashSet<>();
    for (Token token : tokens) {
      if (!seen.add(token.name()) || !seen.add(token.sha256().toLowerCase(Locale.ROOT)))
        throw new UsageException(
            "--tokens " + file + " names '" + token.name() + "' or its sha256 a second time");
    }
    return new Tokens(List.copyOf(tokens));
  }

  private static Token token(Path file, int number, String line) {
    try {
      JsonNode object = JSON.readTree(line);
      for (String field : object.propertyNames()) {
        if (!FIELDS.contains(field))
          throw new IllegalArgumentException(
              "has an unknown field; known are name, sha256, queues, rate");
      }
      return new Token(text(object, "name"), text(object, "sha256"), queues(object), rate(object));
    } catch (JacksonException e) {
      throw wrong(file, number, "is not a JSON object");
    } catch (IllegalArgumentException e) {
      throw wrong(file, number, String.valueOf(e.getMessage()));
    }
  }

  private static UsageException wrong(Path file, int number, String reason) {
    return new UsageException("--tokens " + file + " line " + number + ": " + reason);
  }

  private static String text(JsonNode object, String field) {
    JsonNode value = object.path(field);
    if (!value.isString()) throw new IllegalArgumentException(field + " must be a string");
    return value.stringValue();
  }

  private static List<String> queues(JsonNode object) {
    JsonNode value = object.path("queues");
    List<String> queues = new ArrayList<>();
    for (JsonNode queue : value.values()) {
      if (queue.isString()) queues.add(queue.stringValue());
    }
    if (!value.isArray() || queues.size() != value.size())
      throw new IllegalArgumentException("queues must be an array of strings");
    return queues;
  }

  private static Optional<Rate> rate(JsonNode object) {
    JsonNode value = object.path("rate");
    if (value.isMissingNode()) return Optional.empty();
    if (!value.isNumber())
      throw new IllegalArgumentException("rate must be a number: requests a second");
    return Optional.of(new Rate(value.doubleValue()));
  }

  boolean areAsked() {
    return !tokens.isEmpty();
  }

  int size() {
    return tokens.size();
  }

  /**
   * Whose request it is.
   *
   * @param authorization the header of that name
   * @throws Problem if a token is asked for and this is none
   */
  Token of(@Nullable String authorization) {
    if (!areAsked()) return Token.NONE;
    if (authorization == null || !authorization.regionMatches(true, 0, SCHEME, 0, SCHEME.length()))
      throw unauthorized("send the header `Authorization: Bearer TOKEN`", "");
    byte[] hash = sha256(authorization.substring(SCHEME.length()).strip());
    Token found = null;
    for (Token token : tokens) {
      if (token.is(hash)) found = token; // no early end: the time must not tell which
    }
    if (found == null)
      throw unauthorized(
          "the token is not known; ask the gateway's operator for one that is, tokens are read when it starts",
          ", error=\"invalid_token\"");
    return found;
  }

  private static Problem unauthorized(String detail, String error) {
    return Problem.of(ProblemType.UNAUTHORIZED, detail)
        .with("WWW-Authenticate", "Bearer realm=\"dibs\"" + error);
  }

  private static byte[] sha256(String token) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new DibsException("this Java has no SHA-256", e);
    }
  }
}
