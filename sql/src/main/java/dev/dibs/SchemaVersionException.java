package dev.dibs;

/** The schema in the database is not one this build can work with. */
public final class SchemaVersionException extends DibsException {
  public SchemaVersionException(String message) {
    super(message);
  }
}
