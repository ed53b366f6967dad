package dev.dibs.app;

import dev.dibs.operations.Doctor;
import dev.dibs.operations.Finding;
import dev.dibs.operations.Finding.Severity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** {@code dibs doctor}: what is wrong with queue and database, and what to do about it. */
@Command(
    name = "doctor",
    description = {
      "Look at everything that makes a queue slow, stuck or unsafe; changes nothing, takes 5 s at the most.",
      "Exit code 1: something needs a person."
    })
final class DoctorCommand implements Callable<Integer> {
  private static final Duration LONGEST_ANSWER = Duration.ofSeconds(10);
  private static final JsonMapper JSON = JsonMapper.shared();

  private final Shell shell;

  @Option(names = "--json", description = "Print one JSON object, with what is healthy, too.")
  boolean json;

  @Mixin ThresholdOptions thresholds = new ThresholdOptions();

  @Mixin DatabaseOptions options = new DatabaseOptions();

  DoctorCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    Doctor.Thresholds from = thresholds.thresholds();
    var source = options.find(shell, "doctor").plain(LONGEST_ANSWER);
    List<Finding> findings = Doctor.on(source, options.schema()).withThresholds(from).examine();
    shell.out().println(json ? json(findings) : text(findings));
    return findings.stream().anyMatch(Finding::needsAttention) ? Errors.FAILED : 0;
  }

  private static long count(List<Finding> findings, Severity severity) {
    return findings.stream().filter(finding -> finding.severity() == severity).count();
  }

  private static String text(List<Finding> findings) {
    var table = new TextTable("FINDING", "CHECK", "WHAT, AND WHAT TO DO");
    for (Finding finding : findings) {
      if (finding.severity() == Severity.OK) continue;
      table.add(finding.severity(), finding.check(), finding.sentence());
      finding.evidence().stream().skip(1).forEach(line -> table.add("", "", "   " + line));
      if (!finding.cure().isEmpty()) table.add("", "", "-> " + finding.cure());
    }
    List<String> lines = new ArrayList<>(table.isEmpty() ? List.of() : table.lines());
    lines.add(count(findings, Severity.OK) + " healthy");
    return String.join("\n", lines);
  }

  private static String json(List<Finding> findings) {
    ObjectNode root = JSON.createObjectNode();
    for (Severity severity : Severity.values())
      root.put(severity.name().toLowerCase(Locale.ROOT), count(findings, severity));
    var all = root.putArray("findings");
    for (Finding finding : findings) {
      ObjectNode node =
          all.addObject()
              .put("check", finding.check())
              .put("severity", finding.severity().name())
              .put("sentence", finding.sentence());
      var evidence = node.putArray("evidence");
      finding.evidence().forEach(evidence::add);
      node.put("cure", finding.cure());
    }
    return root.toString();
  }
}
