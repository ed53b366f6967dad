package dev.dibs.app;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/**
 * The command line: {@code dibs --help} lists what it can do. Exit codes: 0 fine, 1 failed, 2 wrong
 * usage, 143 and 130 ended by SIGTERM and SIGINT.
 */
@Command(
    name = "dibs",
    description = "The PostgreSQL task queue for the JVM.",
    synopsisSubcommandLabel = "COMMAND",
    versionProvider = Dibs.Version.class,
    footer = {
      "",
      "Every option is an environment variable, too: see its help. Exit codes: 0 fine, 1 failed, 2 wrong usage,",
      "143 after SIGTERM and 130 after SIGINT, also of a worker that has drained well."
    })
public final class Dibs {
  private static final int HELP_WIDTH = 110;

  /** Held, or its level is forgotten: what the driver remarks would stand beside our one line. */
  private static final Logger DRIVER = Logger.getLogger("org.postgresql");

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      scope = ScopeType.INHERIT,
      description = "Show this help.")
  boolean help;

  @Option(
      names = {"-V", "--version"},
      versionHelp = true,
      description = "Show the version.")
  boolean version;

  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "Print the stack trace of an error. (DIBS_DEBUG)")
  boolean debug;

  Dibs() {}

  public static void main(String[] args) {
    Locale.setDefault(Locale.Category.FORMAT, Locale.ROOT);
    DRIVER.setLevel(Level.OFF);
    ParentWatch.start();
    System.exit(run(Shell.system(), args));
  }

  /** All there is to call, in the order of the help. */
  private static List<Object> commands(Shell shell) {
    return List.of(
        new DemoCommand(shell),
        new WorkerCommand(shell),
        new EnqueueCommand(shell),
        new GatewayCommand(shell),
        new StatusCommand(shell),
        TasksCommand.with(shell),
        BulkCommand.with(shell),
        QueuesCommand.with(shell),
        KindsCommand.with(shell),
        WorkersCommand.with(shell),
        SchedulesCommand.with(shell),
        new ExplainCommand(shell),
        new DoctorCommand(shell),
        ConsoleCommand.with(shell),
        new MigrateCommand(shell),
        new BenchCommand(shell),
        new DemoWorkerCommand(shell));
  }

  /** Runs one command and answers its exit code; what it could not print is a failure, too. */
  static int run(Shell shell, String... args) {
    int code = line(shell).execute(args);
    Optional<IOException> failure = shell.out().failure();
    if (failure.isEmpty()) return code;
    if (!Output.isReaderGone(failure.get()))
      shell.say(
          "not all could be written to standard output: "
              + failure.get().getMessage()
              + "; the command itself went on, so look what it did before you repeat it");
    return code == 0 ? Errors.FAILED : code;
  }

  /** Every command with its options, ready to be executed. */
  static CommandLine line(Shell shell) {
    CommandLine line = new CommandLine(new Dibs());
    for (Object command : commands(shell)) line.addSubcommand(command);
    Converters.register(line);
    Errors errors = new Errors(shell);
    describe(line);
    return line.setExpandAtFiles(false) // --payload @FILE is read as one value
        .setUsageHelpWidth(HELP_WIDTH)
        .setDefaultValueProvider(new EnvironmentDefaults(shell.environment()))
        .setParameterExceptionHandler(errors)
        .setExecutionExceptionHandler(errors)
        .setOut(shell.out())
        .setErr(shell.err());
  }

  private static void describe(CommandLine line) {
    line.getCommandSpec().usageMessage().abbreviateSynopsis(true);
    EnvironmentDefaults.describe(line.getCommandSpec());
    line.getSubcommands().values().forEach(Dibs::describe);
  }

  /** The version that the jar's manifest tells. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"dibs " + text() + " on Java " + Runtime.version()};
    }

    static String text() {
      String version = Dibs.class.getPackage().getImplementationVersion();
      return version == null ? "development" : version;
    }
  }
}
