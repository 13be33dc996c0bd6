using System.Globalization;
using System.Runtime.InteropServices;
using SamCompress.IR;

namespace SamCompress.Testing;

/// <summary>
/// The exporter graphs of <c>tests/models</c>, whose weights were taken out. Filled with random weights they are right for
/// structure, exactness, speed and memory, and say nothing about masks.
/// </summary>
public static class SkeletonModels
{
    /// <summary>The names of the files, without <c>.skeleton.onnx</c>.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "efficientsam_ti_encoder", "efficientvit_sam_l0_encoder", "mobilesam_encoder", "sam_b_encoder", "sam_b_encoder_dynamo", "sam_decoder",
        "sam_h_encoder",
    ];

    /// <summary>The repository that this assembly was built in.</summary>
    public static string RepositoryRoot { get; } = FindRoot();

    public static string SkeletonPath(string name) => Path.Combine(RepositoryRoot, "tests", "models", name + ".skeleton.onnx");

    /// <summary>The model with weights that are computed when they are read: the same ones every time.</summary>
    public static Model Open(string name)
    {
        Model model = OnnxReader.Read(SkeletonPath(name), new ReadOptions { AllowMissingData = true });
        foreach (Graph graph in model.AllGraphs())
        {
            foreach (Value value in graph.Initializers)
            {
                if (Fill(value.Initializer!, value.Name) is { } filled)
                    graph.SetInitializer(value, filled);
            }

            foreach (Node node in graph.Nodes)
            {
                foreach (NodeAttribute attribute in node.Attributes.Where(a => a.Kind == AttributeKind.Tensor).ToArray())
                {
                    if (Fill(attribute.Tensor, node.Output.Name) is { } filled)
                        node.SetAttribute(NodeAttribute.Of(attribute.Name, filled));
                }
            }
        }

        return model;
    }

    /// <summary>The file of the filled model, written on first use under <c>artifacts/filled</c>, which git ignores.</summary>
    public static string FilledPath(string name, ExternalDataMode externalData = ExternalDataMode.Auto)
    {
        string suffix = externalData switch { ExternalDataMode.Always => ".external", ExternalDataMode.Never => ".inline", _ => "" };
        string folder = Path.Combine(RepositoryRoot, "artifacts", "filled", name + suffix);
        if (!Directory.Exists(folder))
        {
            // Test processes run side by side: each fills a folder of its own, and the first one to finish gives it its name.
            string stage = $"{folder}.{Environment.ProcessId}.{Environment.CurrentManagedThreadId}";
            Directory.CreateDirectory(stage);
            using (Model model = Open(name))
                OnnxWriter.Save(model, Path.Combine(stage, name + ".onnx"), new SaveOptions { ExternalData = externalData });
            try
            {
                Directory.Move(stage, folder);
            }
            catch (IOException) when (Directory.Exists(folder))
            {
                Directory.Delete(stage, recursive: true);
            }
        }

        return Path.Combine(folder, name + ".onnx");
    }

    private static Tensor? Fill(Tensor tensor, string name)
    {
        string[] words = tensor.Documentation.Split(' ');
        if (words[0] != "fill:")
            return null;
        float[] numbers = [.. words.Skip(2).Select(w => float.Parse(w, CultureInfo.InvariantCulture))];
        return words[1] switch
        {
            "const" => Tensor.Lazy(tensor.ElementType, tensor.Dimensions.AsSpan(), bytes => MemoryMarshal.Cast<byte, float>(bytes).Fill(numbers[0])),
            "normal" => Tensor.Lazy(tensor.ElementType, tensor.Dimensions.AsSpan(), bytes => FillNormal(MemoryMarshal.Cast<byte, float>(bytes), Seed(name), numbers[0], numbers[1])),
            _ => throw new InvalidDataException($"{name}: unknown filling '{tensor.Documentation}'"),
        };
    }

    /// <summary>FNV-1a, which unlike string hashes is the same in every process.</summary>
    private static ulong Seed(string name) => name.Aggregate(14695981039346656037, (hash, c) => (hash ^ c) * 1099511628211);

    /// <summary>Sums of four uniform numbers: near enough to the normal distribution, and quick for 600 million weights.</summary>
    private static void FillNormal(Span<float> destination, ulong seed, float mean, float deviation)
    {
        // A sum of four uniform 16-bit numbers has mean 2 (2^16 - 1) and deviation 2^16 sqrt(4 / 12).
        float scale = deviation / (65536f * MathF.Sqrt(1f / 3));
        float offset = mean - (131070 * scale);
        for (int i = 0; i < destination.Length; i++)
        {
            ulong bits = Mix(seed + (ulong)i);
            uint sum = (uint)((bits & 0xFFFF) + ((bits >> 16) & 0xFFFF) + ((bits >> 32) & 0xFFFF) + (bits >> 48));
            destination[i] = (sum * scale) + offset;
        }
    }

    /// <summary>The SplitMix64 generator as a function of its counter.</summary>
    private static ulong Mix(ulong counter)
    {
        ulong z = counter * 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "SamCompress.sln")))
                return folder.FullName;
        }

        throw new DirectoryNotFoundException("the tests must run inside the repository");
    }
}
