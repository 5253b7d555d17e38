package dev.quern.llama.tokenizer;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// The published templates that Quern writes frames for, known by the SHA-256 of their canonical
/// form ([JinjaForm]). A template with one statement more or less is another one: no part of a text
/// makes it known.
final class KnownTemplates {
  private static final String CUTOFF = "Cutting Knowledge Date: December 2023\nToday Date: ";

  private static final String ASSISTANT = "You are a helpful assistant.";

  /// `strftime("%d %b %Y")`
  private static final DateTimeFormatter DAY =
      DateTimeFormatter.ofPattern("dd MMM uuuu", Locale.ENGLISH);

  /// What a template is rendered with.
  private interface Frame {
    ChatTemplate chat(Tokenizer tokenizer, LocalDate today);
  }

  private record Known(String sha256, Frame frame) {}

  private static final Frame LLAMA3 = (tokenizer, _) -> new Llama3Chat(tokenizer, "");
  private static final Frame LLAMA3_OF_2024 =
      (tokenizer, _) -> new Llama3Chat(tokenizer, CUTOFF + "26 Jul 2024\n\n");
  private static final Frame LLAMA3_OF_TODAY =
      (tokenizer, today) -> new Llama3Chat(tokenizer, CUTOFF + DAY.format(today) + "\n\n");
  private static final Frame LLAMA2 = (tokenizer, _) -> new Llama2Chat(tokenizer);

  private static Frame chatMl(boolean bos, String defaultSystem) {
    return (tokenizer, _) ->
        new ChatMlChat(tokenizer, bos, Optional.of(defaultSystem).filter(text -> !text.isEmpty()));
  }

  private static final List<Known> KNOWN =
      List.of(
          // Llama 3.1 and 3.3
          new Known(
              "3efda6895db46f9ed7cc29b54c6255dbbf0d6f0ace38f036a3ebae6acd1b50d9", LLAMA3_OF_2024),
          // Llama 3.2
          new Known(
              "405294908ebd41d888bc9b16dd1e1a662c57dee368a9ee0af67652b8413860f1", LLAMA3_OF_TODAY),
          // Llama 3
          new Known("6be89fd3897f961aeb1bc0a872a4cbe2c4f5b3b07b7d2acc6f86946d9c1bf2d8", LLAMA3),
          // Llama 3, first release: the reply's header always
          new Known("c34805b27312a901b3c6c681866920c0714b7f8f0e5ea788546741d726fce30e", LLAMA3),
          // Llama 3: eos_token where no reply is asked for
          new Known("df744a6bf56cc199fc502ba22d093d7cceaa5867515eac03c3c1ec6c63df3e8f", LLAMA3),
          // the three with <|begin_of_text|> in place of bos_token
          new Known("1018bd47e2322d391763afec9b00afc4764f7f4ce805f4a590532b6d9aeb1404", LLAMA3),
          new Known("5b6c532d687b191a8c1065acd7a7c078b2dde18a970e04fae398e8f2b2c2551c", LLAMA3),
          new Known("9ab4324ef727732ceed6cbce4555f3cea0f49fd5a5d2a37c45fd665c750d6a76", LLAMA3),
          // Llama 3, a branch for each role
          new Known("3db2201a4c754d242aeefc021b9eff7bc7f06d90cdbd6cb7ff04e67eb60901ea", LLAMA3),
          // Llama 3, one line for all roles
          new Known("49f31b76c4f3cde2294298b151dadaa912e0ea2ee1116a4fd41f58ee371f24d9", LLAMA3),
          // Llama 2
          new Known("78c8b3b11228a81c65131f8f3884bdf22b6056b230287273a00127a0dc9cdffa", LLAMA2),
          // Llama 2: other roles are an error
          new Known("1d99ec3ad35b357dc54a072a0363d08a2165e1a985e08512adcb89f828dbc20b", LLAMA2),
          // Llama 2: roles need not alternate
          new Known("84b1f753a4cf8184f2e4e3822913cf0fbe6b18f1a33c754242a1b386928f4737", LLAMA2),
          // Llama 2: system messages anywhere
          new Known("550cf634ef37fa5cad6299b5febf578a7bd4424b22443add1dc0ec5ed1203854", LLAMA2),
          // Llama 2: both
          new Known("e96a6b7a2ed5975f82e658555f294f20dee1da6a6d70d480a67b8be4d6e540f0", LLAMA2),
          // ChatML
          new Known(
              "0473780600f000a018a87b230b5c8667154b9b56209032d247983e66187c7ae2",
              chatMl(false, "")),
          // ChatML behind bos_token
          new Known(
              "d983daa09ce0ef64d3b3084caa50367420fd49ea427040f1db9add7360a26e12", chatMl(true, "")),
          // the same, in the loop
          new Known(
              "7ee1dacac7669a60436710660ce957c01b0954d5b796f629f9ca6c85e84612dd", chatMl(true, "")),
          // ChatML, a branch for each role
          new Known(
              "894cb8fa279997874e314b1eb2b17a8d428a836d6924a00f00262d29fe25e277",
              chatMl(false, "")),
          // ChatML with a system text of its own
          new Known(
              "cf81ec3918559c20f5ca488c96900390c21f3fb82ade103be59d8729251f577b",
              chatMl(false, ASSISTANT)),
          // the same, the reply's header always
          new Known(
              "5780762464825f266718c123b0499aedf93bcc4a9841c1250e67a78b53484b6d",
              chatMl(false, ASSISTANT)),
          // the same, as axolotl writes it
          new Known(
              "0592816560cf9ff02aa30a70aafa3adb003ebaeb7b5db1d2226542bf12dc204c",
              chatMl(false, ASSISTANT)));

  private KnownTemplates() {}

  /// The frame of a template, empty where it is none of these.
  ///
  /// @param today the date that Llama 3.2's template tells the model
  static Optional<ChatTemplate> find(String source, Tokenizer tokenizer, LocalDate today) {
    Optional<String> sha256 = JinjaForm.of(source).map(KnownTemplates::sha256);
    return KNOWN.stream()
        .filter(known -> sha256.equals(Optional.of(known.sha256())))
        .findFirst()
        .map(known -> known.frame().chat(tokenizer, today));
  }

  static String sha256(String text) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
