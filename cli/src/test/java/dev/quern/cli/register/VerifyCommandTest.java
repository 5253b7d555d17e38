package dev.quern.cli.register;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.cli.Quern;
import dev.quern.cli.SwiGluJar;
import dev.quern.cli.register.Claim.Count;
import dev.quern.cli.register.Claim.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `quern conformance --claim` and `verify`: on one right and one wrong provider that were compiled
/// a moment ago, whose reports are then forged in every way that the verifier is to notice.
class VerifyCommandTest {
  private static final String WAIVERS =
      """
      {"waivers": [{"provider": "off", "rule": "%s", "format": "swiglu", "reason": "off by 1 %%",
        "link": "https://example.com/1", "until": "%s"}]}
      """;

  @TempDir static Path folder;

  private static Path right;
  private static Path wrong;
  private static Path report;
  private static Path waived;
  private static Path broken;
  private static Path key;
  private static Path pub;

  @BeforeAll
  static void makeReports() throws IOException, GeneralSecurityException {
    right = SwiGluJar.named("right").build(folder);
    wrong = SwiGluJar.named("off").factor("1.01f").build(folder);
    KeyPair pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
    key = pem("key.pem", "PRIVATE KEY", pair.getPrivate().getEncoded());
    pub = pem("pub.pem", "PUBLIC KEY", pair.getPublic().getEncoded());
    report = folder.resolve("right.json");
    assertEquals(0, claim(right, report, "--sign " + key).code());
    broken = folder.resolve("broken.json");
    Quern red = claim(wrong, broken, "--sign " + key);
    assertEquals(1, red.code(), red.out());
    Claim said = ClaimFile.read(broken).claim();
    String rules =
        said.results().stream()
            .filter(r -> r.count().failed() > 0)
            .map(Result::rule)
            .distinct()
            .map(rule -> String.format(Locale.ROOT, WAIVERS, rule, "9999-12-31"))
            .map(w -> w.substring(w.indexOf('[') + 1, w.lastIndexOf(']')))
            .reduce((a, b) -> a + "," + b)
            .orElseThrow();
    Path waivers = Files.writeString(folder.resolve("waivers"), "{\"waivers\": [" + rules + "]}");
    waived = folder.resolve("waived.json");
    Claim excused = withWaivers(said, Waiver.read(waivers));
    ClaimFile.write(excused, waived);
  }

  private static Path pem(String name, String kind, byte[] key) throws IOException {
    String body = Base64.getMimeEncoder().encodeToString(key);
    return Files.writeString(
        folder.resolve(name),
        String.format(Locale.ROOT, "-----BEGIN %s-----%n%s%n-----END %s-----%n", kind, body, kind));
  }

  private static Quern claim(Path jar, Path file, String more) {
    return conformance("--tries 2 --jar " + jar + " --claim " + file + " " + more);
  }

  private static Quern conformance(String arguments) {
    return Quern.run(("conformance " + arguments).strip().split(" +"));
  }

  private static void stands(String arguments) {
    Quern result = conformance("verify " + arguments);
    assertEquals(0, result.code(), result.out() + result.err());
    assertTrue(result.out().contains(".json: stands: "), result.out());
  }

  /// In one line.
  private static void refused(String why, Path file, String more) {
    Quern result = conformance("verify " + file + " " + more);
    assertEquals(1, result.code(), result.out() + result.err());
    assertEquals(1, result.out().lines().count(), result.out());
    assertTrue(result.out().contains(": refused: "), result.out());
    assertTrue(result.out().contains(why), result.out());
  }

  private static Path forged(UnaryOperator<Claim> change) throws IOException {
    return forged(report, change);
  }

  /// With a digest that fits.
  private static Path forged(Path from, UnaryOperator<Claim> change) throws IOException {
    Path file = folder.resolve("forged.json");
    ClaimFile.write(change.apply(ClaimFile.read(from).claim()), file);
    Files.copy(
        Signature.of(report),
        Signature.of(file),
        java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    return file;
  }

  private static Claim withResults(Claim c, List<Result> results, List<Claim.Finding> findings) {
    return new Claim(
        c.spec(), c.suite(), c.machine(), c.provider(), c.run(), results, findings, c.waivers());
  }

  private static Claim withWaivers(Claim c, List<Waiver> waivers) {
    return new Claim(
        c.spec(),
        c.suite(),
        c.machine(),
        c.provider(),
        c.run(),
        c.results(),
        c.findings(),
        waivers);
  }

  private static Claim withCountOfS1(Claim c, Count count) {
    return withResults(
        c,
        c.results().stream()
            .map(r ->
                r.check().startsWith("S1_")
                    ? new Result(r.operator(), r.subject(), r.check(), count)
                    : r)
            .toList(),
        c.findings());
  }

  private static Path edited(String from, String to) throws IOException {
    String text = Files.readString(report);
    assertTrue(text.contains(from), from);
    return Files.writeString(folder.resolve("edited.json"), text.replace(from, to));
  }

  @Test
  void aReportStands() {
    stands(report.toString());
    stands(report + " --key " + pub);
    stands(report + " --provider-jar " + right);
    stands(waived.toString());
  }

  @Test
  void aReportIsRepeated() {
    stands(report + " --rerun --provider-jar " + right);
  }

  @Test
  void anEditIsRefused() throws IOException {
    refused("the digest is not that of the report", edited("\"seed\":1", "\"seed\":2"), "");
    refused("the digest is not that of the report", edited("S1_", "S9_"), "");
    refused("unknown key 'more'", edited("\"format\": 1", "\"format\": 1, \"more\": 1"), "");
    refused(
        "format can't be read, expected a number", edited("\"format\": 1", "\"format\": 2"), "");
    refused("no JSON", edited("{", "{{"), "");
    refused("is missing", edited("\"spec\"", "\"spek\""), "");
  }

  /// Who writes a report can write its digest: a signature notices, and so does doing it again.
  @Test
  void aBrokenProviderThatIsMadeToLookRightIsRefused() throws IOException {
    Path file =
        forged(
            broken,
            c ->
                withResults(
                    c,
                    c.results().stream()
                        .map(r ->
                            new Result(
                                r.operator(),
                                r.subject(),
                                r.check(),
                                new Count(
                                    r.count().passed() + r.count().failed() + r.count().skipped(),
                                    0,
                                    r.count().declined(),
                                    0)))
                        .toList(),
                    List.of()));
    stands(file.toString()); // which is why the digest proves nothing
    refused("the signature is not of this report and this key", file, "--key " + pub);
    refused("and here it is", file, "--rerun --provider-jar " + wrong);
    Files.delete(Signature.of(file));
    refused("no signature", file, "--key " + pub);
  }

  @Test
  void whatIsLeftOutIsRefused() throws IOException {
    Path without =
        forged(c ->
            withResults(
                c,
                c.results().stream().filter(r -> !r.check().startsWith("S1_")).toList(),
                c.findings()));
    refused("swiglu F32 S1_", without, "");
    refused("is missing", without, "");
    Path fewer = forged(c -> withCountOfS1(c, new Count(1, 0, 0, 0)));
    refused("has 1 cases, expected at least ", fewer, "");
    Path skipped = forged(c -> withCountOfS1(c, new Count(0, 0, 0, 1000)));
    refused("was checked in none of its 1000 cases", skipped, "");
    Path lazy =
        forged(c ->
            new Claim(
                c.spec(),
                c.suite(),
                c.machine(),
                c.provider(),
                new Claim.Run(1, 1, c.run().when()),
                c.results(),
                c.findings(),
                c.waivers()));
    refused("it has 1 tries, expected at least 2", lazy, "");
  }

  @Test
  void anotherSuiteIsRefused() throws IOException {
    String hash = ClaimFile.read(report).claim().suite().classes();
    String other = hash.replace(hash.charAt(0), hash.charAt(0) == '0' ? '1' : '0');
    refused(
        "another suite made it",
        forged(c ->
            new Claim(
                c.spec(),
                new SuiteHash(other, c.suite().rules()),
                c.machine(),
                c.provider(),
                c.run(),
                c.results(),
                c.findings(),
                c.waivers())),
        "");
    refused(
        "it is about SPEC.md 1.0",
        forged(c ->
            new Claim(
                "1.0",
                c.suite(),
                c.machine(),
                c.provider(),
                c.run(),
                c.results(),
                c.findings(),
                c.waivers())),
        "");
  }

  @Test
  void aBrokenRuleNeedsAWaiverThatHolds() throws IOException {
    refused("and no waiver excuses it", broken, "");
    refused("ended on 2020-01-01", until("2020-01-01"), "");
    Path useless = forged(c -> withWaivers(c, ClaimFileWaivers.of(waived)));
    refused("excuses nothing that is broken", useless, "");
  }

  private static Path until(String day) throws IOException {
    return forged(
        waived,
        c ->
            withWaivers(
                c,
                c.waivers().stream()
                    .map(w ->
                        new Waiver(
                            w.provider(),
                            w.rule(),
                            w.format(),
                            w.reason(),
                            w.link(),
                            java.time.LocalDate.parse(day)))
                    .toList()));
  }

  private static final class ClaimFileWaivers {
    static List<Waiver> of(Path file) {
      try {
        return ClaimFile.read(file).claim().waivers();
      } catch (IOException e) {
        throw new java.io.UncheckedIOException(e);
      }
    }
  }

  @Test
  void anotherProviderIsRefused() {
    refused("is not what was judged", report, "--provider-jar " + wrong);
  }

  @Test
  void hostileFilesAreRefusedInALine() throws IOException {
    Path file = folder.resolve("hostile.json");
    for (String text :
        List.of("", "[]", "null", "{\"digest\": 1}", "{\"digest\": \"\\n\"}", "{".repeat(5000))) {
      Files.writeString(file, text);
      refused("hostile.json", file, "");
    }
    Files.write(file, new byte[] {'{', '"', (byte) 0xff});
    refused("no UTF-8", file, "");
    Files.write(file, new byte[5 << 20]);
    refused("is larger than", file, "");
    refused("is no file", folder.resolve("absent.json"), "");
    Files.writeString(file, Files.readString(report).replace(" 9", " 9999999999"));
    refused("expected counts such as 28+3f", file, "");
  }

  @Test
  void waiversThatCantBeReadAreRefusedBeforeTheSuiteRuns() throws IOException {
    Path file = Files.writeString(folder.resolve("bad-waivers"), "{\"waivers\": [{}]}");
    Quern result =
        conformance("--jar " + right + " --claim " + folder.resolve("x") + " --waivers " + file);
    assertEquals(1, result.code(), result.out());
    assertTrue(result.err().contains("provider is missing, expected text"), result.err());
    assertEquals("", result.out());
  }

  @Test
  void theSameContentHasTheSameHashInAJarAndAFolder() throws IOException {
    Path classes = folder.resolve("right-classes");
    assertEquals(ContentHash.of(classes), ContentHash.of(right));
    List<String> hashes =
        IntStream.range(0, 2)
            .mapToObj(i -> {
              try {
                Files.writeString(classes.resolve("more"), "m".repeat(i));
                return ContentHash.of(classes);
              } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
              }
            })
            .toList();
    assertEquals(2, hashes.stream().distinct().count());
    Files.delete(classes.resolve("more"));
  }
}
