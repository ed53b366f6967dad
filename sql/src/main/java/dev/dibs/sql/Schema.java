package dev.dibs.sql;

import dev.dibs.Text;
import java.sql.Connection;
import java.util.regex.Pattern;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.conf.MappedSchema;
import org.jooq.conf.RenderMapping;
import org.jooq.conf.Settings;
import org.jooq.impl.DSL;

/**
 * The PostgreSQL schema that holds everything of one Dibs. Immutable.
 *
 * @param name a lower-case identifier of at most 41 characters, {@code dibs} by default
 */
public record Schema(String name) {
  private static final Pattern NAME = Pattern.compile("[a-z_][a-z0-9_]{0,40}");

  /** A name that is refused is shown so far. */
  private static final int SHOWN = 60;

  /** The schema called {@code dibs}. */
  public static final Schema DEFAULT = new Schema("dibs");

  public Schema {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "a schema name must match %s, was '%s'"
              .formatted(NAME.pattern(), Text.cut(Text.storable(name), SHOWN)));
    }
  }

  /** The channel on which a queue's name is notified when work came in. */
  public String channel() {
    return name;
  }

  /** For rendering statements only. */
  DSLContext dsl() {
    return DSL.using(SQLDialect.POSTGRES, settings());
  }

  /** For executing statements on {@code connection}, whose transaction they join. */
  public DSLContext dsl(Connection connection) {
    return DSL.using(connection, SQLDialect.POSTGRES, settings());
  }

  private Settings settings() {
    return new Settings()
        .withExecuteLogging(false)
        .withRenderNamedParamPrefix(SqlText.PREFIX)
        .withRenderMapping(
            new RenderMapping()
                .withSchemata(new MappedSchema().withInput("dibs").withOutput(name)));
  }
}
