import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.stream.Stream;
import org.flywaydb.core.Flyway;
import org.jooq.codegen.GenerationTool;
import org.jooq.meta.jaxb.Configuration;
import org.jooq.meta.jaxb.Database;
import org.jooq.meta.jaxb.Generate;
import org.jooq.meta.jaxb.Generator;
import org.jooq.meta.jaxb.Logging;
import org.jooq.meta.jaxb.Target;
import org.slf4j.LoggerFactory;

/**
 * Generates the jOOQ classes from a real PostgreSQL to which the migrations were applied. Does
 * nothing while migrations, this file and jOOQ's version are what they were.
 */
final class Codegen {
  public static void main(String[] args) throws Exception {
    Path module = Path.of(args[0]);
    Path out = Path.of(args[1]);
    Path migrations = module.resolve("src/main/resources/dev/dibs/sql/migration");
    Path stamp = out.resolveSibling("jooq.sha256");
    String hash = hash(migrations, module.resolve("src/codegen/java/Codegen.java"));
    if (Files.exists(stamp) && Files.readString(stamp).equals(hash)) return;

    ((Logger) LoggerFactory.getLogger("ROOT")).setLevel(Level.WARN);
    try (EmbeddedPostgres postgres = EmbeddedPostgres.builder().start()) {
      var dataSource = postgres.getPostgresDatabase();
      Flyway.configure()
          .dataSource(dataSource)
          .defaultSchema("dibs")
          .createSchemas(true)
          .locations("filesystem:" + migrations)
          .load()
          .migrate();
      var tool = new GenerationTool();
      tool.setDataSource(dataSource);
      tool.run(
          new Configuration()
              .withLogging(Logging.WARN)
              .withGenerator(
                  new Generator()
                      .withDatabase(
                          new Database()
                              .withName("org.jooq.meta.postgres.PostgresDatabase")
                              .withInputSchema("dibs")
                              .withIncludeRoutines(false)
                              .withTableValuedFunctionsAsTables(false)
                              .withExcludes("flyway_.*|task_history_.*|.*_public"))
                      .withGenerate(
                          new Generate().withRecords(false).withGeneratedAnnotation(false))
                      .withTarget(
                          new Target()
                              .withPackageName("dev.dibs.sql.schema")
                              .withDirectory(out.toString()))));
    }
    Files.writeString(stamp, hash);
  }

  private static String hash(Path migrations, Path self) throws Exception {
    var digest = MessageDigest.getInstance("SHA-256");
    try (Stream<Path> files = Files.walk(migrations)) {
      for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
        digest.update(file.getFileName().toString().getBytes(StandardCharsets.UTF_8));
        digest.update(Files.readAllBytes(file));
      }
    }
    digest.update(Files.readAllBytes(self));
    digest.update(org.jooq.Constants.FULL_VERSION.getBytes(StandardCharsets.UTF_8));
    return HexFormat.of().formatHex(digest.digest());
  }
}
