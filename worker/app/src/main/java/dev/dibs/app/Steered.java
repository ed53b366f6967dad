package dev.dibs.app;

import dev.dibs.Pause;
import dev.dibs.Request;
import dev.dibs.operations.Operations;
import java.util.Locale;
import java.util.Optional;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** What is paused and resumed by hand. */
enum Steered {
  QUEUE,
  KIND;

  private static final JsonMapper JSON = JsonMapper.shared();

  /** As it is called in messages. */
  String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The command that has it. */
  String command() {
    return word() + "s";
  }

  Operations.PauseAnswer pause(Operations operations, String name, Request request) {
    return switch (this) {
      case QUEUE -> operations.pauseQueue(name, request);
      case KIND -> operations.pauseKind(name, request);
    };
  }

  Operations.PauseAnswer resume(Operations operations, String name, Request request) {
    return switch (this) {
      case QUEUE -> operations.resumeQueue(name, request);
      case KIND -> operations.resumeKind(name, request);
    };
  }

  /** How it stands, in a table. */
  static String state(Optional<Pause> pause) {
    return pause.map(p -> "paused by " + p.by() + ": " + p.why()).orElse("running");
  }

  /** A new object with the name and how it stands. */
  ObjectNode json(String name, Optional<Pause> pause) {
    ObjectNode node = JSON.createObjectNode().put(word(), name);
    put(node, "paused", pause);
    return node;
  }

  /** Adds who wants it so, or null. */
  static void put(ObjectNode node, String what, Optional<Pause> pause) {
    if (pause.isEmpty()) {
      node.putNull(what);
      return;
    }
    node.putObject(what)
        .put("at", pause.get().at().toString())
        .put("by", pause.get().by())
        .put("why", pause.get().why());
  }
}
