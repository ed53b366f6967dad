package dev.dibs.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/**
 * Bugs seeded into the engine, the statements and the producers are found; else chaos proves
 * little.
 */
class MutantTest {
  private static final Path CLASSES = Path.of("target", "mutants");
  private static final Duration RAGE = Duration.ofSeconds(20);
  private static final int SWARM_ROUNDS = 3;

  @SuppressWarnings("unused") // by name, below
  private static final List<Mutant> MUTANTS = Mutant.ALL;

  /** What was changed in the shipped code must be changed here too; this says so at once. */
  @ParameterizedTest
  @FieldSource("MUTANTS")
  void mutant_stillAppliesAndCompiles(Mutant mutant) throws Exception {
    assertThat(MutantClasses.compile(mutant, CLASSES)).isNotEmptyDirectory();
  }

  /** For {@code -Pmutants}; see README. */
  @Test
  @Tag("mutants")
  void everyMutant_isKilled() throws Exception {
    List<String> survivors = new ArrayList<>();
    var table = new StringBuilder(line("MUTANT", "KILLED BY", "BROKEN PROMISE"));
    for (Mutant mutant : chosen()) {
      String killer = killer(mutant);
      System.out.print(killer);
      table.append(killer);
      if (killer.contains(SURVIVED)) survivors.add(mutant.name());
    }
    System.out.println("\n" + table);
    assertThat(survivors).as("survivors").isEmpty();
  }

  private static final String SURVIVED = "SURVIVED";

  private static List<Mutant> chosen() {
    List<String> names =
        Arrays.stream(System.getProperty("dibs.chaos.mutants", "").split(",", -1))
            .filter(name -> !name.isBlank())
            .toList();
    return Mutant.ALL.stream().filter(m -> names.isEmpty() || names.contains(m.name())).toList();
  }

  /** The line of the table: its own scenario should do; if not, rounds of chance are tried. */
  private static String killer(Mutant mutant) throws Exception {
    List<Path> ahead = List.of(MutantClasses.compile(mutant, CLASSES));
    var verdict = mutant.scenario().play("mutant", ahead);
    if (!verdict.violations().isEmpty())
      return line(mutant.name(), mutant.scenario().name(), broken(verdict));
    for (int seed = 1; seed <= SWARM_ROUNDS; seed++) {
      var round = new ChaosRun("mutant", seed, RAGE, Cluster.Standby.NONE, ahead).play();
      if (!round.violations().isEmpty())
        return line(mutant.name(), "swarm, seed " + seed, broken(round));
    }
    return line(mutant.name(), SURVIVED, "");
  }

  private static String broken(ChaosRun.Verdict verdict) {
    Violation first = verdict.violations().getFirst();
    return "%d x, first %s: %s"
        .formatted(verdict.violations().size(), first.promise(), first.what());
  }

  private static String line(String mutant, String killer, String promise) {
    return String.format(Locale.ROOT, "%-42s %-16s %.110s%n", mutant, killer, promise);
  }
}
