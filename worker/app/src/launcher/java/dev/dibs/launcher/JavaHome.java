package dev.dibs.launcher;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An installed Java: its directory, and the version its {@code release} file tells. Java 8 byte
 * code.
 */
final class JavaHome {
  private static final Pattern RELEASE = Pattern.compile("(?m)^JAVA_VERSION=\"?([^\"\\r\\n]+)");
  private static final Pattern VERSION = Pattern.compile("(?:1\\.)?(\\d{1,4}).*");
  private static final Pattern VARIABLE = Pattern.compile("(JDK|JRE|JAVA).*_HOME.*");
  private static final String[] PARENTS = {
    "/usr/lib/jvm",
    "/usr/lib64/jvm",
    "/usr/java",
    "/usr/local/java",
    "/opt/java",
    "/opt/hostedtoolcache",
    "~/.sdkman/candidates/java",
    "~/.jdks",
    "~/.m2/jdks",
    "~/.gradle/jdks",
    "~/.asdf/installs/java",
    "~/.local/share/mise/installs/java",
    "/Library/Java/JavaVirtualMachines",
    "~/Library/Java/JavaVirtualMachines",
    "/opt/homebrew/opt",
    "C:/Program Files/Java",
    "C:/Program Files/Eclipse Adoptium",
  };

  final File directory;
  final int version;

  JavaHome(File directory, int version) {
    this.directory = directory;
    this.version = version;
  }

  File executable() {
    return executable(directory);
  }

  private static File executable(File home) {
    File unix = new File(home, "bin/java");
    return unix.isFile() ? unix : new File(home, "bin/java.exe");
  }

  /** 8 for 1.8.0_392, 25 for 25.0.3 and 25-ea, 0 for what is no version. */
  static int majorOf(String version) {
    Matcher matcher = VERSION.matcher(version);
    return matcher.matches() ? Integer.parseInt(matcher.group(1)) : 0;
  }

  /** The version a {@code release} file tells, 0 if none. */
  static int majorOfRelease(String release) {
    Matcher matcher = RELEASE.matcher(release);
    return matcher.find() ? majorOf(matcher.group(1)) : 0;
  }

  /**
   * JAVA_HOME where it will do, else the newest with long-term support, else the newest; null if
   * none will do.
   */
  static JavaHome best(List<JavaHome> installed, int needed) {
    JavaHome best = null;
    for (JavaHome home : installed) {
      if (home.version < needed) continue;
      if (home == installed.get(0)) return home;
      if (best == null || home.isBetterThan(best)) best = home;
    }
    return best;
  }

  private boolean isBetterThan(JavaHome other) {
    if (hasLongTermSupport() != other.hasLongTermSupport()) return hasLongTermSupport();
    return version > other.version;
  }

  /** 21, 25, 29 and so on. */
  private boolean hasLongTermSupport() {
    return (version - 21) % 4 == 0;
  }

  /** What JAVA_HOME names comes first, version 0 if that is no Java; then all others. */
  static List<JavaHome> installed(Map<String, String> environment) {
    List<JavaHome> homes = new ArrayList<>();
    String given = environment.get("JAVA_HOME");
    homes.add(given == null ? new JavaHome(new File(""), 0) : of(new File(given)));
    for (Map.Entry<String, String> variable : new TreeMap<>(environment).entrySet()) {
      if (VARIABLE.matcher(variable.getKey()).matches())
        addTo(homes, new File(variable.getValue()));
    }
    for (String parent : PARENTS) {
      addChildrenTo(
          homes,
          new File(
              parent.replaceFirst(
                  "^~", Matcher.quoteReplacement(System.getProperty("user.home")))));
    }
    return homes;
  }

  private static void addChildrenTo(List<JavaHome> homes, File parent) {
    addTo(homes, parent);
    File[] children = parent.listFiles();
    if (children == null) return;
    Arrays.sort(children);
    for (File child : children) {
      addTo(homes, child);
      addTo(homes, new File(child, "Contents/Home"));
      addTo(homes, new File(child, "x64"));
      addTo(homes, new File(child, "libexec/openjdk.jdk/Contents/Home"));
    }
  }

  private static void addTo(List<JavaHome> homes, File directory) {
    JavaHome home = of(directory);
    if (home.version > 0) homes.add(home);
  }

  private static JavaHome of(File directory) {
    if (!executable(directory).canExecute()) return new JavaHome(directory, 0);
    try {
      byte[] release = Files.readAllBytes(new File(directory, "release").toPath());
      return new JavaHome(directory, majorOfRelease(new String(release, StandardCharsets.UTF_8)));
    } catch (IOException e) {
      return new JavaHome(directory, 0); // no release file, no Java of ours
    }
  }
}
