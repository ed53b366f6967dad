package dev.dibs.console;

import dev.dibs.DibsException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.zip.GZIPOutputStream;

/**
 * Style, script and pictures, from the jar. Their addresses hold a hash of what is in them, so a
 * browser asks once. Immutable.
 */
final class Assets {
  private static final Map<String, String> TYPES =
      Map.of(
          "css", "text/css; charset=utf-8",
          "js", "text/javascript; charset=utf-8",
          "svg", "image/svg+xml");

  private static final class Asset {
    private final String type;
    private final String tag;
    private final byte[] plain;
    private final byte[] gzipped;

    Asset(String type, byte[] content) {
      this.type = type;
      this.tag = Secrets.sha256(content).substring(0, 16);
      this.plain = content;
      this.gzipped = gzip(content);
    }
  }

  private final Map<String, Asset> byAddress = new HashMap<>();
  private final Map<String, String> addresses = new HashMap<>();

  Assets() {
    for (String name :
        new String[] {"console.css", "console.js", "idiomorph-0.8.0.js", "icons.svg"})
      add(name, resource(name));
    String favicon = new String(resource("favicon.svg"), StandardCharsets.UTF_8);
    for (Environment.Tone tone : Environment.Tone.values())
      add(
          "favicon-" + tone.word() + ".svg",
          favicon.replace("#9b1c1c", tone.colour()).getBytes(StandardCharsets.UTF_8));
  }

  private void add(String name, byte[] content) {
    int dot = name.lastIndexOf('.');
    String type = name.substring(dot + 1);
    var asset = new Asset(TYPES.getOrDefault(type, ""), content);
    String address = "/assets/" + name.substring(0, dot) + "-" + asset.tag + "." + type;
    addresses.put(name, address);
    byAddress.put(address, asset);
  }

  /** Where the browser finds it. */
  String address(String name) {
    String address = addresses.get(name);
    if (address == null) throw new IllegalArgumentException("there is no " + name);
    return address;
  }

  Answer answer(Visit visit) {
    Asset asset = byAddress.get(visit.path());
    if (asset == null) throw Refusal.notFound("There is no such file; reload the page.");
    Answer headers =
        Answer.empty(200)
            .with("Content-Type", asset.type)
            .with("Cache-Control", "public, max-age=31536000, immutable")
            .with("Vary", "Accept-Encoding")
            .with("ETag", '"' + asset.tag + '"');
    if (visit.header("If-None-Match").filter(('"' + asset.tag + '"')::equals).isPresent())
      return new Answer(304, headers.headers(), new byte[0]);
    boolean gzip = visit.header("Accept-Encoding").filter(s -> s.contains("gzip")).isPresent();
    if (gzip) headers = headers.with("Content-Encoding", "gzip");
    return new Answer(200, headers.headers(), gzip ? asset.gzipped : asset.plain);
  }

  static byte[] resource(String name) {
    try (InputStream in = Assets.class.getResourceAsStream(name)) {
      if (in == null) throw new DibsException("the jar is not complete: it has no " + name);
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] gzip(byte[] content) {
    var bytes = new ByteArrayOutputStream();
    try (var out = new GZIPOutputStream(bytes)) {
      out.write(content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }
}
