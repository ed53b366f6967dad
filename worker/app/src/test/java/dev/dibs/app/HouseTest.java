package dev.dibs.app;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Who may know whom, and what nothing may be called. */
class HouseTest {
  private static final String SCHEMA = "dev.dibs.sql.schema..";

  private static final JavaClasses HOUSE =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .withImportOption(location -> !location.contains("testdatabase"))
          .importPackages("dev.dibs");

  @Test
  void imports_pointFromTheAppTowardsTheDatabase() {
    forbid("dev.dibs.sql..", "dev.dibs.producer..", "dev.dibs.worker..", "dev.dibs.app..");
    forbid("dev.dibs.producer..", "dev.dibs.worker..", "dev.dibs.app..");
    forbid("dev.dibs.worker..", "dev.dibs.app..", "dev.dibs.bench..");
    forbid("dev.dibs.bench..", "dev.dibs.app..", "dev.dibs.console..");
    forbid("dev.dibs.console..", "dev.dibs.app..", "dev.dibs.bench..");
    forbid(
        "dev.dibs",
        "dev.dibs.sql..",
        "dev.dibs.producer..",
        "dev.dibs.worker..",
        "org.jooq..",
        "java.sql..");
  }

  private void forbid(String here, String... there) {
    JavaClasses classes = here.equals("dev.dibs") ? words() : HOUSE;
    noClasses()
        .that()
        .resideInAPackage(here)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(there)
        .check(classes);
  }

  /** The words may say that the database failed, and nothing else of it. */
  private JavaClasses words() {
    return HOUSE.that(
        com.tngtech.archunit.base.DescribedPredicate.describe(
            "words",
            type -> !type.getSimpleName().matches("DatabaseException|EnqueueUnknownException")));
  }

  @Test
  void packages_haveNoCircles() {
    slices().matching("dev.dibs.(*)..").should().beFreeOfCycles().check(HOUSE);
  }

  @Test
  void logback_isTheAppsAlone() {
    noClasses()
        .that()
        .resideOutsideOfPackages("dev.dibs.app..", "dev.dibs.bench..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("ch.qos.logback..", "picocli..", "com.zaxxer..", "io.zonky..")
        .check(HOUSE);
  }

  @Test
  void jooq_showsInThreePlacesOnly() {
    Stream<String> shown =
        HOUSE.stream()
            .filter(type -> type.getModifiers().contains(JavaModifier.PUBLIC))
            .filter(type -> !type.getPackageName().startsWith("dev.dibs.sql"))
            .flatMap(type -> type.getMethods().stream())
            .filter(method -> method.getModifiers().contains(JavaModifier.PUBLIC))
            .filter(HouseTest::showsJooq)
            .map(method -> method.getOwner().getSimpleName() + "." + method.getName())
            .distinct();
    assertThat(shown)
        .containsExactlyInAnyOrder(
            "Producer.enqueue", "Producer.transactionListener", "TaskTransaction.dsl");
  }

  private static boolean showsJooq(JavaMethod method) {
    return Stream.concat(
            Stream.of(method.getRawReturnType()), method.getRawParameterTypes().stream())
        .anyMatch(type -> type.getPackageName().startsWith("org.jooq"));
  }

  @Test
  void names_sayWhatThingsAre() {
    classes()
        .that()
        .resideOutsideOfPackage(SCHEMA)
        .should()
        .haveNameNotMatching(
            ".*(Manager|Helper|Utils?|Impl|Base|Abstract|Service|Processor|Data|Info)$")
        .check(HOUSE);
  }

  @Test
  void mostTypes_areHidden() {
    List<JavaClass> types =
        HOUSE.stream()
            .filter(
                type -> type.isTopLevelClass() && !type.getPackageName().startsWith("dev.dibs.sql"))
            .filter(type -> !type.getPackageName().equals("dev.dibs"))
            .filter(type -> !type.getSimpleName().equals("package-info"))
            .filter(type -> !type.getSimpleName().matches("Jte.*Generated")) // no choice of ours
            .toList();
    long open =
        types.stream().filter(type -> type.getModifiers().contains(JavaModifier.PUBLIC)).count();
    assertThat(open * 100 / types.size())
        .as("percent of public types outside sql")
        .isLessThanOrEqualTo(25);
  }
}
