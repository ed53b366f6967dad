package dev.dibs.chaos;

import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/** Compiles mutants from the shipped sources, to be put ahead of the shipped classes. */
final class MutantClasses {
  private static final Path ROOT = Path.of(System.getProperty("dibs.chaos.sources", "../.."));

  private MutantClasses() {}

  /**
   * The directory with the changed classes.
   *
   * @throws IllegalStateException if a text to change is not there exactly once, or the result does
   *     not compile: then the shipped code has moved on and the mutant must follow
   */
  static Path compile(Mutant mutant, Path parent) throws IOException {
    Path directory = parent.resolve(mutant.name().replaceAll("[^a-z]+", "-")).toAbsolutePath();
    Directories.delete(directory);
    Path classes = Files.createDirectories(directory.resolve("classes"));
    List<String> arguments = new ArrayList<>(List.of("-d", classes.toString()));
    arguments.addAll(List.of("-cp", System.getProperty("java.class.path")));
    arguments.addAll(List.of("--release", "21", "-proc:none", "-nowarn", "-parameters"));
    for (Map.Entry<String, String> source : sources(mutant).entrySet()) {
      Path file = directory.resolve(source.getKey());
      Files.createDirectories(file.getParent());
      Files.writeString(file, source.getValue());
      arguments.add(file.toString());
    }
    compile(mutant, arguments);
    return classes;
  }

  private static Map<String, String> sources(Mutant mutant) throws IOException {
    Map<String, String> sources = new LinkedHashMap<>();
    for (Mutant.Edit edit : mutant.edits()) {
      String before = sources.get(edit.source());
      if (before == null) before = Files.readString(ROOT.resolve(edit.source()));
      sources.put(edit.source(), replacedOnce(mutant, edit, before));
    }
    return sources;
  }

  private static String replacedOnce(Mutant mutant, Mutant.Edit edit, String source) {
    Matcher found = pattern(edit.text()).matcher(source);
    if (!found.find() || found.find())
      throw new IllegalStateException(
          "mutant '%s': in %s there must be exactly once: %s"
              .formatted(mutant.name(), edit.source(), edit.text()));
    return pattern(edit.text())
        .matcher(source)
        .replaceFirst(Matcher.quoteReplacement(edit.instead()));
  }

  /** The text, broken into lines wherever the formatter likes. */
  private static Pattern pattern(String text) {
    return Pattern.compile(
        Arrays.stream(text.split("\\s+", -1)).map(Pattern::quote).collect(joining("\\s*")));
  }

  private static void compile(Mutant mutant, List<String> arguments) {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    var complaints = new StringWriter();
    List<String> options = arguments.stream().filter(a -> !a.endsWith(".java")).toList();
    try (var files = compiler.getStandardFileManager(null, null, null)) {
      var units =
          files.getJavaFileObjectsFromStrings(
              arguments.stream().filter(a -> a.endsWith(".java")).toList());
      if (!compiler.getTask(complaints, files, null, options, null, units).call())
        throw new IllegalStateException(
            "mutant '%s' does not compile: %s".formatted(mutant.name(), complaints));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
