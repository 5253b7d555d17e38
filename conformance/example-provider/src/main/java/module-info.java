module com.example.quern {
  requires dev.quern.api;

  provides dev.quern.spi.KernelProvider with
      com.example.quern.ExampleProvider;
}
