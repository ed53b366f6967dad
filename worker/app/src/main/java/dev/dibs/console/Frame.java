package dev.dibs.console;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** What surrounds the content of every page, for the template. */
record Frame(String title, Visit visit, Site site, Situation situation, Instant now) {
  /** A page in the navigation, and the key that leads there after g. */
  record Place(String name, String path, String key) {}

  static final List<Place> PLACES =
      List.of(
          new Place("Overview", "/", "o"),
          new Place("Tasks", "/tasks", "t"),
          new Place("Queues", "/queues", "q"),
          new Place("Kinds", "/kinds", "k"),
          new Place("Workers", "/workers", "w"),
          new Place("Schedules", "/schedules", "s"),
          new Place("Failures", "/failures", "f"),
          new Place("Doctor", "/doctor", "d"),
          new Place("Bulk", "/bulk", "b"),
          new Place("Audit", "/audit", "a"));

  Environment environment() {
    return Environment.named(site.settings().environment());
  }

  String asset(String name) {
    return site.assets().address(name);
  }

  String icon(String name) {
    return asset("icons.svg") + "#" + name;
  }

  String token() {
    return site.gate().token(visit.secret());
  }

  boolean isHere(Place place) {
    String path = visit.path();
    return path.equals(place.path())
        || (!place.path().equals("/") && path.startsWith(place.path() + "/"));
  }

  /** The one page that stands for where we are on a phone, too. */
  boolean isMinor(Place place) {
    return !List.of("/", "/tasks", "/queues", "/failures").contains(place.path());
  }

  boolean isKnown() {
    return !visit.visitor().equals(Visitor.NOBODY);
  }

  boolean hasLogin() {
    return site.gate().asksForPasswords();
  }

  /** Whether pages offer to change anything; what is sent all the same is refused elsewhere. */
  boolean mayAct() {
    return visit.visitor().role().covers(Role.OPERATOR) && situation.readOnlyBecause().isEmpty();
  }

  boolean mayDelete() {
    return visit.visitor().role().covers(Role.ADMIN) && situation.readOnlyBecause().isEmpty();
  }

  Optional<String> banner() {
    if (situation.awaySince().isPresent())
      return Optional.of(
          "The database has not answered since "
              + show().absolute(situation.awaySince().get())
              + "; what is shown is from then.");
    return situation.readOnlyBecause().map(why -> "Read-only: " + why + ".");
  }

  Show show() {
    return new Show(now, visit.preferences().zoneOrUtc(), visit.preferences().absolute());
  }

  String zone() {
    return show().zoneName();
  }
}
