package dev.dibs.app;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ScopeType;

/**
 * Makes every option an environment variable too: {@code dibs tasks list --queue} is {@code
 * DIBS_TASKS_LIST_QUEUE}.
 *
 * <p>The names of the command may be left out, as in {@code DIBS_QUEUE}, for the commands that
 * serve and for the options that mean the same in every command that has them. Elsewhere one word
 * means several things, and a command that acts would hear what its container tells the worker.
 */
final class EnvironmentDefaults implements IDefaultValueProvider {
  private static final Set<String> SERVERS = Set.of("worker", "gateway", "console");

  private static final Set<String> SAME_EVERYWHERE =
      Set.of(
          "--database-url",
          "--database-user",
          "--database-password",
          "--database-password-file",
          "--schema",
          "--fail-fast",
          "--by",
          "--json",
          "--debug");

  private final Map<String, String> environment;

  EnvironmentDefaults(Map<String, String> environment) {
    this.environment = environment;
  }

  /** The value of the first variable that has one; one that is empty counts as not set. */
  @Override
  public @Nullable String defaultValue(ArgSpec argument) {
    if (!(argument instanceof OptionSpec option) || isQuestion(option)) return null;
    for (String variable : variables(option)) {
      String value = environment.getOrDefault(variable, "");
      if (!value.isEmpty()) return value;
    }
    return null;
  }

  /** Whether the option asks about dibs itself, which no variable can. */
  private static boolean isQuestion(OptionSpec option) {
    return option.usageHelp() || option.versionHelp();
  }

  /**
   * The variables that stand for an option: the command's own, then the short one if it has one.
   */
  static List<String> variables(OptionSpec option) {
    String name = option.longestName().replaceFirst("^--?", "");
    String own = variable(option.command().qualifiedName("_") + "_" + name);
    boolean isShort =
        SERVERS.contains(option.command().name()) || SAME_EVERYWHERE.contains(option.longestName());
    return isShort ? List.of(own, variable("dibs_" + name)) : List.of(own);
  }

  private static String variable(String name) {
    return name.toUpperCase(Locale.ROOT).replace('-', '_');
  }

  /**
   * Writes the shortest variable and the default into the help of every option that is a command's
   * own.
   */
  static void describe(CommandSpec command) {
    for (OptionSpec option : List.copyOf(command.options())) {
      if (isQuestion(option) || option.scopeType() == ScopeType.INHERIT) continue;
      String[] description = option.description().clone();
      if (description.length == 0) description = new String[] {""};
      String usual = option.defaultValue();
      String known = usual == null || usual.isEmpty() ? "" : "default: " + usual + ", ";
      description[description.length - 1] += " (" + known + variables(option).getLast() + ")";
      command.remove(option);
      command.add(option.toBuilder().description(description).build());
    }
  }
}
