using SamCompress.Testing;

namespace SamCompress.IR.Tests.Serialization;

public sealed class ExporterGraphsTests
{
    public static TheoryData<string> Names => [.. SkeletonModels.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_graph_without_its_weights_is_serialized_to_the_bytes_it_was_read_from(string name)
    {
        string path = SkeletonModels.SkeletonPath(name);

        using Model model = OnnxReader.Read(path, new ReadOptions { AllowMissingData = true });

        Assert.Equal(File.ReadAllBytes(path), OnnxWriter.Serialize(model));
    }

    [Fact]
    public void The_filled_ViT_B_has_every_node_and_weights_of_the_stated_distribution()
    {
        using Model model = SkeletonModels.Open("sam_b_encoder");

        Assert.Equal(3219, model.Graph.Nodes.Count);
        Tensor weight = model.Graph.Initializers.Select(v => v.Initializer!).First(t => t.Dimensions is [768, 3072]);
        string[] fill = OnnxReader.Read(SkeletonModels.SkeletonPath("sam_b_encoder"), new ReadOptions { AllowMissingData = true })
            .Graph.Initializers.Select(v => v.Initializer!).First(t => t.Dimensions is [768, 3072]).Documentation.Split(' ');
        double mean = double.Parse(fill[2], System.Globalization.CultureInfo.InvariantCulture);
        double deviation = double.Parse(fill[3], System.Globalization.CultureInfo.InvariantCulture);
        float[] data = weight.ToArray<float>();

        // 2.4 million samples: the mean of such a sample deviates by 0.0007 deviations, the deviation by 0.0005 of itself.
        double sampleMean = data.Average(v => (double)v);
        double sampleDeviation = Math.Sqrt(data.Average(v => Math.Pow(v - sampleMean, 2)));
        Assert.InRange(sampleMean, mean - (0.004 * deviation), mean + (0.004 * deviation));
        Assert.InRange(sampleDeviation, 0.997 * deviation, 1.003 * deviation);
        Assert.Equal(data, weight.ToArray<float>());
    }
}
