package dev.quern.cli.register;

import dev.quern.cli.console.Json;
import dev.quern.cli.console.Sha256;
import dev.quern.cli.console.UserException;
import dev.quern.files.NewFile;
import dev.quern.spi.Jit;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/// A report's file: JSON, with a digest over the canonical form of all the rest.
///
/// @param claim what it says
/// @param digest what it says of itself
/// @param canonical the canonical form of what it says: no white space, keys sorted, integers and
///   texts without control characters alone
public record ClaimFile(Claim claim, String digest, byte[] canonical) {
  private static final String DIGEST = "digest";
  private static final String ALGORITHM = "sha256:";
  private static final long MOST_BYTES = 4 << 20;

  /// Writes a report.
  public static ClaimFile write(Claim claim, Path file) throws IOException {
    Map<String, Object> tree = tree(claim);
    byte[] canonical = canonical(tree);
    String digest = ALGORITHM + Sha256.of(canonical);
    tree.put(DIGEST, digest);
    NewFile.write(file, lines(tree).getBytes(StandardCharsets.UTF_8));
    return new ClaimFile(claim, digest, canonical);
  }

  /// Reads a report. What it says is checked by [Verification].
  ///
  /// @throws UserException if it is no report
  public static ClaimFile read(Path file) throws IOException {
    String where = file.toString();
    if (!Files.isRegularFile(file)) {
      throw new UserException(where + " is no file, expected a report");
    }
    if (Files.size(file) > MOST_BYTES) {
      throw new UserException(
          String.format(
              Locale.ROOT, "%s is larger than %d bytes, no report is", where, MOST_BYTES));
    }
    Object tree = Json.read(Files.readString(file, StandardCharsets.UTF_8), where);
    try (Tree root = Tree.of(tree, where)) {
      String digest = root.text(DIGEST);
      Claim claim = claim(root);
      Map<String, Object> rest = new LinkedHashMap<>();
      ((Map<?, ?>) tree).forEach((k, v) -> rest.put((String) k, v));
      rest.remove(DIGEST);
      return new ClaimFile(claim, digest, canonical(rest));
    }
  }

  /// Whether the digest is that of the rest.
  boolean intact() {
    return digest.equals(ALGORITHM + Sha256.of(canonical));
  }

  /// Sorted, in one line.
  private static byte[] canonical(Map<String, Object> tree) {
    return Json.line(sorted(tree)).getBytes(StandardCharsets.UTF_8);
  }

  private static Object sorted(Object value) {
    return switch (value) {
      case Map<?, ?> map -> {
        Map<String, Object> all = new TreeMap<>();
        map.forEach((k, v) -> all.put((String) k, sorted(v)));
        yield all;
      }
      case List<?> list -> list.stream().map(ClaimFile::sorted).toList();
      default -> value;
    };
  }

  /// A line for each key, and within the results for each kind of spec: small, and fit for `diff`.
  private static String lines(Map<String, Object> tree) {
    List<String> keys = new ArrayList<>();
    tree.forEach((key, value) -> {
      String text = key.equals("results") ? results((Map<?, ?>) value) : Json.line(value);
      keys.add(Json.line(key) + ": " + text);
    });
    return "{\n" + String.join(",\n", keys) + "\n}\n";
  }

  private static String results(Map<?, ?> operators) {
    List<String> all = new ArrayList<>();
    operators.forEach((name, value) -> {
      Map<?, ?> own = (Map<?, ?>) value;
      Stream<String> rows =
          ((Map<?, ?>) own.get("subjects"))
              .entrySet().stream().map(e -> Json.line(e.getKey()) + ": " + Json.line(e.getValue()));
      all.add(
          String.format(
              Locale.ROOT,
              "%s: {\"checks\": %s, \"subjects\": {\n  %s}}",
              Json.line(name),
              Json.line(own.get("checks")),
              String.join(",\n  ", rows.toList())));
    });
    return "{\n " + String.join(",\n ", all) + "}";
  }

  private static Map<String, Object> tree(Claim c) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("format", Claim.FORMAT);
    tree.put("spec", c.spec());
    tree.put("suite", Map.of("classes", c.suite().classes(), "rules", c.suite().rules()));
    Map<String, Object> machine = new LinkedHashMap<>();
    machine.put("os", c.machine().os());
    machine.put("arch", c.machine().arch());
    machine.put("cpu", String.join(" ", c.machine().cpu()));
    machine.put("jit", c.machine().jit().name());
    machine.put("jdk", c.machine().jdk());
    machine.put("vm", c.machine().vm());
    machine.put("processors", c.machine().processors());
    machine.put("flags", new TreeMap<>(c.machine().flags()));
    tree.put("machine", machine);
    Map<String, Object> provider = new LinkedHashMap<>();
    provider.put("name", c.provider().name());
    provider.put("version", c.provider().version());
    provider.put("class", c.provider().type());
    provider.put("detail", c.provider().detail());
    provider.put(
        "files",
        c.provider().files().stream()
            .map(f -> Map.of("name", f.name(), "sha256", f.sha256()))
            .toList());
    provider.put("declares", c.provider().declares());
    tree.put("provider", provider);
    Map<String, Object> run = new LinkedHashMap<>();
    run.put("tries", c.run().tries());
    run.put("seed", c.run().seed());
    run.put("when", c.run().when().toString());
    tree.put("run", run);
    tree.put("results", Results.tree(c.results()));
    tree.put("findings", c.findings().stream().map(ClaimFile::tree).toList());
    tree.put("waivers", c.waivers().stream().map(ClaimFile::tree).toList());
    return tree;
  }

  private static Map<String, Object> tree(Claim.Finding f) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("operator", f.operator());
    tree.put("subject", f.subject());
    tree.put("check", f.check());
    tree.put("replay", f.replay());
    tree.put("what", f.what());
    return tree;
  }

  private static Map<String, Object> tree(Waiver w) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("provider", w.provider());
    tree.put("rule", w.rule());
    tree.put("format", w.format());
    tree.put("reason", w.reason());
    tree.put("link", w.link());
    tree.put("until", w.until().toString());
    return tree;
  }

  private static Claim claim(Tree root) {
    root.number("format", Claim.FORMAT, Claim.FORMAT);
    return new Claim(
        root.text("spec"),
        suite(root.object("suite")),
        machine(root.object("machine")),
        provider(root.object("provider")),
        run(root.object("run")),
        Results.of(root.object("results")),
        root.list("findings").stream().map(ClaimFile::finding).toList(),
        root.list("waivers").stream().map(Waiver::of).toList());
  }

  private static SuiteHash suite(Tree t) {
    try (t) {
      return new SuiteHash(t.hash("classes"), t.hash("rules"));
    }
  }

  private static Claim.Machine machine(Tree t) {
    try (t) {
      String cpu = t.text("cpu");
      String jit = t.text("jit");
      return new Claim.Machine(
          t.text("os"),
          t.text("arch"),
          cpu.isEmpty() ? List.of() : List.of(cpu.split(" ")),
          Stream.of(Jit.values())
              .filter(j -> j.name().equals(jit))
              .findFirst()
              .orElseThrow(
                  () -> new UserException(t.where() + ": jit '" + jit + "', expected C2 or C1")),
          t.text("jdk"),
          t.text("vm"),
          (int) t.number("processors", 1, 1 << 16),
          t.map("flags"));
    }
  }

  private static Claim.Provider provider(Tree t) {
    try (t) {
      return new Claim.Provider(
          t.text("name"),
          t.text("version"),
          t.text("class"),
          t.text("detail"),
          t.list("files").stream().map(ClaimFile::file).toList(),
          t.texts("declares"));
    }
  }

  private static Claim.HashedFile file(Tree t) {
    try (t) {
      return new Claim.HashedFile(t.text("name"), t.hash("sha256"));
    }
  }

  private static Claim.Run run(Tree t) {
    try (t) {
      return new Claim.Run(
          (int) t.number("tries", 0, 1 << 20),
          t.number("seed", Long.MIN_VALUE, Long.MAX_VALUE),
          t.instant("when"));
    }
  }

  private static Claim.Finding finding(Tree t) {
    try (t) {
      return new Claim.Finding(
          t.text("operator"), t.text("subject"), t.text("check"), t.text("replay"), t.text("what"));
    }
  }
}
