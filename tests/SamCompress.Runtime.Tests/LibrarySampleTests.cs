using SamCompress.Runtime.Images;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Tests.Images;
using SamCompress.Samples;
using SamCompress.Testing;

namespace SamCompress.Runtime.Tests;

/// <summary>The example of <c>docs/pipelines.md</c>, which is compiled into these tests.</summary>
public sealed class LibrarySampleTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("samcompress-tests-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void The_page_shows_the_compiled_file()
    {
        string sample = Read("samples/Library/QuantizeEncoder.cs");
        Assert.Contains($"```csharp\n{sample}```\n", Read("docs/pipelines.md"), StringComparison.Ordinal);
    }

    [Fact]
    public void It_makes_a_quantized_encoder_that_takes_files()
    {
        string encoder = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx"), output = Path.Combine(_directory.FullName, "out.onnx");
        string pictures = _directory.CreateSubdirectory("pictures").FullName;
        for (int i = 0; i < 2; i++)
            File.Copy(TestPictures.Scene(i), Path.Combine(pictures, $"{i}.jpg"));
        QuantizeEncoder.Run(encoder, pictures, output);

        Assert.InRange(new FileInfo(output).Length, 1, new FileInfo(encoder).Length / 3);
        using OnnxSession before = OnnxSession.Open(encoder), after = OnnxSession.Open(output, new SessionSettings { UseExtensions = true });
        using var loader = new ImageLoader(Preprocessing.For(before));
        using EncoderImage image = loader.Load(TestPictures.Scene(5));
        using RuntimeTensors wanted = before.Run(new Dictionary<string, RuntimeTensor> { [before.Inputs[0].Name] = image.Input });
        byte[] bytes = File.ReadAllBytes(TestPictures.Scene(5));
        using RuntimeTensor file = RuntimeTensor.Of(bytes, bytes.Length);
        using RuntimeTensors got = after.Run(new Dictionary<string, RuntimeTensor> { ["file"] = file });
        Assert.InRange(Cosine(wanted[before.Outputs[0].Name].ToArray<float>(), got[before.Outputs[0].Name].ToArray<float>()), 0.99, 1.000001);
    }

    private static double Cosine(float[] a, float[] b)
    {
        double product = 0, first = 0, second = 0;
        for (int i = 0; i < a.Length; i++)
            (product, first, second) = (product + ((double)a[i] * b[i]), first + ((double)a[i] * a[i]), second + ((double)b[i] * b[i]));
        return product / Math.Sqrt(first * second);
    }

    private static string Read(string path) => File.ReadAllText(Path.Combine(SkeletonModels.RepositoryRoot, path)).ReplaceLineEndings("\n");
}
