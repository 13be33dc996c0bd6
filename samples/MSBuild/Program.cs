// The compressed model lies beside the program: the build made it.
string model = Path.Combine(AppContext.BaseDirectory, "encoder.w8a8.onnx");
Console.WriteLine($"{Path.GetFileName(model)}: {new FileInfo(model).Length} bytes");
