import com.google.googlejavaformat.java.Formatter;
import com.google.googlejavaformat.java.ImportOrderer;
import com.google.googlejavaformat.java.JavaFormatterOptions;
import com.google.googlejavaformat.java.RemoveUnusedImports;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Checks that every source file is formatted ({@code check}), or formats it ({@code write}). */
final class Format {
  public static void main(String[] args) throws Exception {
    boolean write = args[0].equals("write");
    var formatter = new Formatter(JavaFormatterOptions.defaultOptions());
    List<Path> sources;
    try (var files = Files.walk(Path.of(args[1]))) {
      sources =
          files
              .filter(f -> f.toString().endsWith(".java") && !f.toString().contains("/target/"))
              .sorted()
              .toList();
    }
    int unformatted = 0;
    for (Path source : sources) {
      String before = Files.readString(source);
      String tidy = RemoveUnusedImports.removeUnusedImports(before);
      String after =
          formatter.formatSource(
              ImportOrderer.reorderImports(tidy, JavaFormatterOptions.Style.GOOGLE));
      if (before.equals(after)) continue;
      unformatted++;
      if (write) Files.writeString(source, after);
      System.err.println((write ? "formatted " : "not formatted: ") + source);
    }
    if (unformatted > 0 && !write) {
      System.err.println("Run: mvn -q -N verify -Dformat.mode=write");
      System.exit(1);
    }
  }
}
