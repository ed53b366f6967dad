package dev.dibs.console;

import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** In, out, and what a person likes to see. */
final class LoginPages {
  private static final Logger LOG = LoggerFactory.getLogger(LoginPages.class);

  private final Site site;
  private final Sessions sessions;
  private final Cookies cookies;
  private final LoginTries tries;

  LoginPages(Site site, Sessions sessions, Cookies cookies) {
    this.site = site;
    this.sessions = sessions;
    this.cookies = cookies;
    this.tries = new LoginTries(site.clock());
  }

  List<Route> routes() {
    return List.of(
        Route.open("GET", "/login", this::page),
        Route.open("POST", "/login", this::enter),
        Route.open("POST", "/preferences", this::prefer),
        Route.post("/logout", this::leave),
        Route.post("/logout/everywhere", this::leaveEverywhere));
  }

  private Answer page(Visit visit) {
    return page(visit, visit.query().only(java.util.Set.of("to")), Optional.empty(), 200);
  }

  private Answer page(Visit visit, Fields fields, Optional<String> problem, int status) {
    Frame frame = site.frame(visit, "Log in");
    String name = fields.text("name").orElse("");
    return Answer.page(
        status,
        SafeOutput.of(
            out -> JteloginGenerated.render(out, out, frame, name, target(fields), problem)));
  }

  private Answer enter(Visit visit) {
    if (!(site.settings().login() instanceof Login.Passwords(Users users)))
      throw Refusal.notFound("Nobody is asked for a password here.");
    String name = visit.form().needed("name");
    if (!tries.admit(users, name))
      return page(
          visit,
          visit.form(),
          Optional.of("Too many tries with this name. Wait ten minutes."),
          429);
    String password = String.join("", visit.form().all("password"));
    Optional<Visitor> found = users.find(name, password);
    if (found.isEmpty()) {
      LOG.warn("{}: a login failed, from {}", visit.requestId(), visit.from());
      return page(visit, visit.form(), Optional.of("This name and this password do not fit."), 403);
    }
    tries.forgive(name);
    sessions.close(visit.secret());
    return goTo(target(visit.form()))
        .with("Set-Cookie", cookies.newSession(sessions.open(found.get())));
  }

  private Answer leave(Visit visit) {
    sessions.close(visit.secret());
    return Answer.to(Url.of("login")).with("Set-Cookie", cookies.noSession());
  }

  private Answer leaveEverywhere(Visit visit) {
    sessions.closeAllOf(visit.visitor().name());
    return leave(visit);
  }

  /** Changes what the form names and leaves the rest. */
  private Answer prefer(Visit visit) {
    Preferences old = visit.preferences();
    Fields form = visit.form();
    var changed =
        new Preferences(
            form.text("theme").isPresent() ? form.oneOf("theme", Preferences.THEMES) : old.theme(),
            form.read("zone", java.time.ZoneId::of).or(old::zone),
            form.text("times").map("absolute"::equals).orElse(old.absolute()),
            form.text("keys").map("on"::equals).orElse(old.keys()));
    return goTo(target(form)).with("Set-Cookie", cookies.newPreferences(changed.toString()));
  }

  private static Answer goTo(String address) {
    return Answer.empty(303).with("Location", address);
  }

  /** Where to go on: a page of ours, nowhere else. */
  static String target(Fields fields) {
    return fields
        .text("to", 2_048)
        .filter(to -> to.matches("/(?![/\\\\])[!-~&&[^\"<>\\\\]]*"))
        .filter(to -> !to.startsWith("/login") && !to.startsWith("/live"))
        .orElse("/");
  }
}
