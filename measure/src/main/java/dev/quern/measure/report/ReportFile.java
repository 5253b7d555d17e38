package dev.quern.measure.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/// The runs of one call, as JSON:
///
/// ```
/// {"protocol": "executorch", "command": "./quern bench ...",
///  "runs": [{"label", "model", "asked", "result": what quern bench --json writes}, ...],
///  "digest": SHA-256 of all the above as compact JSON}
/// ```
///
/// The digest tells a file that somebody changed, not one that somebody forged.
///
/// @param name of the file, short
/// @param command that made it
/// @param runs in the order of measuring
public record ReportFile(String name, String command, List<Run> runs) {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
  private static final String DIGEST = "digest";
  private static final String PROTOCOL = "executorch";

  public ReportFile {
    runs = List.copyOf(runs);
  }

  /// Reads a file, and checks all its runs.
  ///
  /// @throws ReportException if it is no such file, was changed, or has a run that may not be shown
  public static ReportFile read(Path file) throws IOException {
    JsonNode root;
    try {
      root = JSON.readTree(Files.readString(file, StandardCharsets.UTF_8));
    } catch (JsonProcessingException e) {
      throw new ReportException(
          String.format(
              Locale.ROOT,
              "%s: not JSON (%s), expected a file of quern bench --protocol executorch --json",
              file,
              e.getOriginalMessage()));
    }
    if (!(root instanceof ObjectNode object)
        || !root.path("protocol").asText().equals(PROTOCOL)
        || root.path("runs").isEmpty()) {
      throw new ReportException(
          String.format(
              Locale.ROOT,
              "%s: no runs of protocol %s, expected a file of quern bench --protocol executorch --json",
              file,
              PROTOCOL));
    }
    String digest = object.path(DIGEST).asText();
    object.remove(DIGEST);
    if (!digest.equals(digest(object))) {
      throw new ReportException(
          String.format(
              Locale.ROOT,
              "%s: its contents do not match its digest: it was changed after it was written; measure again",
              file));
    }
    List<Run> runs = new ArrayList<>();
    for (JsonNode run : root.path("runs")) {
      runs.add(Run.read(run, String.format(Locale.ROOT, "%s: run %d", file, runs.size() + 1)));
    }
    return new ReportFile(file.getFileName().toString(), object.path("command").asText(), runs);
  }

  /// The file.
  public byte[] bytes() throws JsonProcessingException {
    ObjectNode root = JSON.createObjectNode().put("protocol", PROTOCOL).put("command", command);
    ArrayNode array = root.putArray("runs");
    runs.forEach(run -> run.json(array.addObject()));
    root.put(DIGEST, digest(root));
    return JSON.writeValueAsBytes(root);
  }

  /// Of the tree as it reads back: numbers in their shortest form.
  static String digest(ObjectNode root) throws JsonProcessingException {
    try {
      String compact = JSON.readTree(root.toString()).toString();
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(compact.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(hash);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
