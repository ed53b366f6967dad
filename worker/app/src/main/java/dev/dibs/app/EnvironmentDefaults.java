package dev.dibs.app;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ScopeType;

/**
 * Makes every option an environment variable too: {@code --database-url} is {@code
 * DIBS_DATABASE_URL}.
 */
final class EnvironmentDefaults implements IDefaultValueProvider {
  private final Map<String, String> environment;

  EnvironmentDefaults(Map<String, String> environment) {
    this.environment = environment;
  }

  /** The variable's value; one that is empty counts as not set. */
  @Override
  public @Nullable String defaultValue(ArgSpec argument) {
    if (!(argument instanceof OptionSpec option) || isQuestion(option)) return null;
    String own = environment.getOrDefault(variable(option, option.command().name() + "-"), "");
    String value = own.isEmpty() ? environment.getOrDefault(variable(option), "") : own;
    return value.isEmpty() ? null : value;
  }

  /** Whether the option asks about dibs itself, which no variable can. */
  private static boolean isQuestion(OptionSpec option) {
    return option.usageHelp() || option.versionHelp();
  }

  static String variable(OptionSpec option) {
    return variable(option, "");
  }

  /** With a command's name in front the variable is for that command alone. */
  private static String variable(OptionSpec option, String command) {
    String name = command + option.longestName().replaceFirst("^--?", "");
    return "DIBS_" + name.toUpperCase(Locale.ROOT).replace('-', '_');
  }

  /** Writes the variable and the default into the help of every option that is a command's own. */
  static void describe(CommandSpec command) {
    for (OptionSpec option : List.copyOf(command.options())) {
      if (isQuestion(option) || option.scopeType() == ScopeType.INHERIT) continue;
      String[] description = option.description().clone();
      if (description.length == 0) description = new String[] {""};
      String known =
          option.defaultValue() == null ? "" : "default: " + option.defaultValue() + ", ";
      description[description.length - 1] += " (" + known + variable(option) + ")";
      command.remove(option);
      command.add(option.toBuilder().description(description).build());
    }
  }
}
