using SamCompress.IR;
using SamCompress.Passes.Distillation;
using SamCompress.Passes.Pruning;
using SamCompress.Passes.Pruning.Importance;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Tests.Images;
using SamCompress.Runtime.Training;
using SamCompress.Testing;

namespace SamCompress.Runtime.Tests.Training;

public sealed class SlimmingRunTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("samcompress-tests-");
    private readonly Model _original = OnnxReader.Read(Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx"));

    public SlimmingRunTests() => TrainableModel.Prepare(_original);

    public void Dispose()
    {
        _original.Dispose();
        _directory.Delete(recursive: true);
    }

    [Theory]
    [InlineData(true, new[] { "embedding", "bottlenecks" })]
    [InlineData(false, new[] { "all" })]
    public void Halves_every_width_of_the_sample_model(bool isAlternate, string[] phases)
    {
        SlimmedModel slimmed = Slim(isAlternate, checkpoint: null);
        using (slimmed.Model)
        {
            Assert.Equal(phases, slimmed.Phases.Select(p => p.Name));
            EncoderFeatures features = EncoderFeatures.Of(slimmed.Model);
            Assert.All(features.Stream, v => Assert.Equal(96, v.Shape![^1].Value));
            Assert.All(features.QueryKeyValue, v => Assert.Equal(3 * 96, v.Shape![^1].Value));
            Assert.All(features.Hidden, v => Assert.Equal(384, v.Shape![^1].Value));
            Assert.Equal("[1,128,16,16]", features.Embedding.Shape!.ToString());
        }
    }

    /// <summary>Stopped behind each update in turn, also in the second phase.</summary>
    [Fact]
    public void A_run_that_was_stopped_and_started_again_gives_the_same_bytes()
    {
        SlimmedModel whole = Slim(isAlternate: true, checkpoint: null);
        string state = Path.Combine(_directory.FullName, "state");
        int stops = 0;
        SlimmedModel? resumed = null;
        while (resumed is null)
        {
            using var stop = new CancellationTokenSource();
            try
            {
                resumed = Slim(isAlternate: true, state, stop);
            }
            catch (OperationCanceledException)
            {
                stops++;
            }
        }

        using (whole.Model)
        using (resumed.Model)
        {
            Assert.Equal(4, stops);
            Assert.Equal(Bytes(whole.Model), Bytes(resumed.Model));
        }
    }

    private SlimmedModel Slim(bool isAlternate, string? checkpoint, CancellationTokenSource? stop = null)
    {
        using var pictures = new TrainingPictures(ImageSet.Of([TestPictures.Scene(0), TestPictures.Scene(1)]), new Preprocessing(256, PixelLayout.ChannelsFirst), new Augmentation());
        var settings = new SlimmingSettings
        {
            Ratio = 0.5,
            Importance = ImportanceCriteria.Magnitude,
            IsAlternate = isAlternate,
            Ranking = PruningRanking.Local,
            Distillation = new DistillationSettings { Updates = 6, Checkpoint = checkpoint },
        };
        return new SlimmingRun(settings).Run(_original, null, pictures, progress: new Stopper(stop), cancellationToken: stop?.Token ?? default);
    }

    private static byte[] Bytes(Model model)
    {
        using var stream = new MemoryStream();
        foreach (Value value in model.Graph.Initializers.OrderBy(v => v.Name, StringComparer.Ordinal))
            value.Initializer!.CopyTo(stream);
        return stream.ToArray();
    }

    /// <summary>Stops a run after its first update.</summary>
    private sealed class Stopper(CancellationTokenSource? stop) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.Update < value.Updates)
                stop?.Cancel();
        }
    }
}
