package dev.dibs.containers;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.testcontainers.containers.Network;

/**
 * A network, a migrated server on it, and the containers that tests start beside it. Owned by the
 * tests' one thread.
 */
final class Fleet implements AutoCloseable {
  final Network network = Network.newNetwork();
  final Server server = new Server(network);
  final Ledger ledger = new Ledger(server.dataSource());
  private final List<Dibs> containers = new ArrayList<>();

  private Fleet() {}

  /** Starts the server and lets a container migrate it. */
  static Fleet start() {
    var fleet = new Fleet();
    fleet.server.start();
    fleet.run(Dibs.once(fleet.network, "migrate"));
    fleet.ledger.execute("create table effect (task uuid not null, version integer not null)");
    return fleet;
  }

  /** A worker of this image, known on the network by its name. */
  Dibs prepared(String image, String name, String... options) {
    String[] command =
        Stream.concat(Stream.of("worker"), Stream.of(options)).toArray(String[]::new);
    return Dibs.worker(image, name, network, command);
  }

  /** Starts a container; a worker then takes tasks, a command has ended well. */
  Dibs run(Dibs container) {
    containers.add(container);
    container.start();
    return container;
  }

  /** How many containers were started, the server among them. */
  int started() {
    return containers.size() + 1;
  }

  @Override
  public void close() {
    containers.forEach(Dibs::stop);
    server.stop();
    network.close();
  }
}
