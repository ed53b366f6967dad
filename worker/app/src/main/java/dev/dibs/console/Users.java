package dev.dibs.console;

import dev.dibs.DibsException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Who may log in: a line {@code NAME ROLE HASH} for each, as {@link #line} makes them. Immutable.
 */
public final class Users {
  private static final Pattern NAME = Pattern.compile("[\\p{L}\\p{N}][\\p{L}\\p{N}._@+-]{0,63}");

  private record User(Role role, Password password) {}

  private final Map<String, User> users;

  /** Hashed for names that nobody has, so that they take as long as the others. */
  private final Password nobody;

  private Users(Map<String, User> users) {
    this.users = Map.copyOf(users);
    this.nobody = users.values().iterator().next().password();
  }

  /**
   * The users of a file; lines that are empty or begin with # are left out.
   *
   * @throws DibsException if it cannot be read or a line is not one
   */
  public static Users read(Path file) {
    try {
      return of(Files.readAllLines(file, StandardCharsets.UTF_8), file.toString());
    } catch (IOException e) {
      throw new DibsException("the users' file " + file + " cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * The users of these lines.
   *
   * @param from where they come from, for messages
   */
  public static Users of(List<String> lines, String from) {
    Map<String, User> users = new HashMap<>();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      if (line.isEmpty() || line.startsWith("#")) continue;
      String here = from + ", line " + (i + 1) + ": ";
      String[] parts = line.split("\\s+", -1);
      if (parts.length != 3)
        throw new DibsException(here + "a user is NAME ROLE HASH; `dibs console user` makes one");
      try {
        if (users.put(checked(parts[0]), new User(Role.of(parts[1]), Password.parse(parts[2])))
            != null) throw new IllegalArgumentException("there is a second " + parts[0]);
      } catch (IllegalArgumentException e) {
        throw new DibsException(here + e.getMessage(), e);
      }
    }
    if (users.isEmpty())
      throw new DibsException(from + " names no user; `dibs console user NAME` makes a line");
    return new Users(users);
  }

  /** The line of a user with this password. */
  public static String line(String name, Role role, String password) {
    return checked(name) + " " + role.word() + " " + Password.of(password);
  }

  private static String checked(String name) {
    if (!isName(name))
      throw new IllegalArgumentException(
          "a user's name has letters, digits and . _ @ + -, at most 64, was '" + name + "'");
    return name;
  }

  /** Whether somebody could have this name. */
  static boolean isName(String name) {
    return NAME.matcher(name).matches();
  }

  public int size() {
    return users.size();
  }

  boolean have(String name) {
    return users.containsKey(name);
  }

  /** Who that is, if the password is theirs. Takes its time, and the same for every name. */
  Optional<Visitor> find(String name, String password) {
    User user = users.get(name);
    Password expected = user == null ? nobody : user.password();
    boolean fits = expected.is(password);
    return user != null && fits ? Optional.of(new Visitor(name, user.role())) : Optional.empty();
  }
}
