package dev.dibs.console;

/** Who makes a request, as the login knows them. */
record Visitor(String name, Role role) {
  /** Has not said who they are. */
  static final Visitor NOBODY = new Visitor("", Role.VIEWER);
}
