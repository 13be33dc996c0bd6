using SamCompress.IR;

namespace SamCompress.Benchmarks;

/// <summary>Opening a model must not cost what its weights weigh.</summary>
internal sealed class ModelOpening : Benchmark
{
    public override string Name => "opening";

    public override string Question => "does the time to open a model grow with its weights?";

    public override IReadOnlyList<Measurement> Measure()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("samcompress-bench-");
        try
        {
            return Comparison.Measure([.. new[] { 1, 64, 512 }.Select(megabytes => Open(folder.FullName, megabytes))], rounds: 20);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static Candidate Open(string folder, int megabytes)
    {
        string path = Path.Combine(folder, $"{megabytes}.onnx");
        using (var model = new Model(8, [new OpsetImport(OperatorDomain.Onnx, 17)]))
        {
            long count = megabytes * 262_144L;
            Value x = model.Graph.AddInput("x", ElementType.Float, Shape.Of(count));
            Value w = model.Graph.AddInitializer("w", Tensor.Lazy(ElementType.Float, [count], bytes => bytes.Clear()));
            Value y = model.Graph.Append("Add", [x, w], ["y"]).Output;
            y.ElementType = ElementType.Float;
            y.Shape = Shape.Of(count);
            model.Graph.AddOutput(y);
            OnnxWriter.Save(model, path);
        }

        return new Candidate($"{megabytes} MB", () => OnnxReader.Read(path).Dispose());
    }
}
