using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Prompts;

namespace SamCompress.Runtime.Training;

/// <summary>What was asked about a picture, and the teacher's answer.</summary>
/// <param name="Points">[K,N,2], x and y in the square frame of the decoder.</param>
/// <param name="Labels">[K,N]: 1 inside, 0 outside, -1 for no point.</param>
/// <param name="Masks">The probability of each element of each mask, [K,M,S,S].</param>
internal sealed record AskedMasks(RuntimeTensor Points, RuntimeTensor Labels, RuntimeTensor Masks);

/// <summary>
/// Prompts that a student answers wrong, after TinySAM: the first point lies in a mask of the teacher; each next one where the mask that the student then gives differs
/// from it. How many there are is drawn for each picture.
/// </summary>
/// <remarks>
/// Source: TinySAM (arXiv 2312.13789), section 3.2. Ours: the mask is the teacher's answer to a random point, one of its M masks by lot, where the paper has true masks; of the student's masks
/// that of the greatest IoU counts; points may also be outside the mask, as background; there are 1 to 4 points, where the paper has 1 to 10, because the decoder is of one size.
/// </remarks>
/// <param name="decoder">Fixed: <see cref="MaskHead.Fix"/>, with <see cref="PointCount"/> points. Must live longer.</param>
internal sealed class HardPrompts(Model decoder, int frame, SessionSettings settings) : IDisposable
{
    /// <summary>The points of a prompt, and one that is none, as the decoders of SAM want where there is no box.</summary>
    public const int PointCount = MostPoints + 1;

    private const int MostPoints = 4;

    private readonly OnnxSession _session = OnnxSession.Open(decoder, settings);
    private readonly string[] _inputs = [.. decoder.Graph.Inputs.Select(i => i.Name)];
    private readonly string _output = decoder.Graph.Outputs[0].Name;

    /// <summary>K, of each picture.</summary>
    public int Count { get; } = (int)decoder.Graph.Inputs[2].Shape![0].Value!;

    /// <param name="teacher">The embedding of the teacher.</param>
    /// <param name="student">Makes that of the student, when it is needed; null for one point each.</param>
    /// <param name="view">What both see.</param>
    public AskedMasks Ask(RuntimeTensor teacher, Func<RuntimeTensor>? student, ShownPicture view, SplitMix64 random, CancellationToken cancellationToken)
    {
        var sheet = new Sheet(Count);
        for (int k = 0; k < Count; k++)
            sheet.Put(k, 0, random.NextDouble() * view.Width * frame, random.NextDouble() * view.Height * frame, isInside: true);
        BinaryMask[] wanted = [.. Masks(teacher, sheet, view, cancellationToken).Select(masks => masks[random.Next(masks.Length)])];
        for (int k = 0; k < Count; k++)
            PutIn(sheet, k, 0, wanted[k], wanted[k], ref random);
        int more = student is null ? 0 : random.Next(MostPoints);
        if (more > 0)
        {
            using RuntimeTensor embedding = student!();
            for (int point = 1; point <= more; point++)
            {
                BinaryMask[][] given = Masks(embedding, sheet, view, cancellationToken);
                for (int k = 0; k < Count; k++)
                {
                    BinaryMask nearest = given[k].MaxBy(m => BinaryMask.Iou(m, wanted[k]))!;
                    PutIn(sheet, k, point, BinaryMask.Difference(wanted[k], nearest), wanted[k], ref random);
                }
            }
        }

        RuntimeTensor masks = Decode(teacher, sheet, cancellationToken);
        foreach (ref float element in masks.As<float>())
            element = 1 / (1 + MathF.Exp(-element));
        return new AskedMasks(sheet.Points, sheet.Labels, masks);
    }

    public void Dispose() => _session.Dispose();

    /// <summary>Puts a point into a random element of a mask; nowhere when it has none.</summary>
    /// <param name="mask">Decides whether the point is inside.</param>
    private void PutIn(Sheet sheet, int prompt, int point, BinaryMask where, BinaryMask mask, ref SplitMix64 random)
    {
        if (where.Area == 0)
            return;
        (int x, int y) = where.Pixel(random.Next((int)where.Area));
        double cell = (double)frame / (int)decoder.Graph.Outputs[0].Shape![3].Value!;
        sheet.Put(prompt, point, (x + 0.5) * cell, (y + 0.5) * cell, mask[x, y]);
    }

    private RuntimeTensor Decode(RuntimeTensor embedding, Sheet sheet, CancellationToken cancellationToken)
    {
        var inputs = new Dictionary<string, RuntimeTensor> { [_inputs[0]] = embedding, [_inputs[1]] = sheet.Points, [_inputs[2]] = sheet.Labels };
        using RuntimeTensors results = _session.Run(inputs, [_output], cancellationToken);
        return results.Detach(_output);
    }

    /// <summary>The masks of each prompt, as far as they show the picture.</summary>
    private BinaryMask[][] Masks(RuntimeTensor embedding, Sheet sheet, ShownPicture view, CancellationToken cancellationToken)
    {
        using RuntimeTensor logits = Decode(embedding, sheet, cancellationToken);
        int count = (int)logits.Dimensions[1], height = (int)logits.Dimensions[2], width = (int)logits.Dimensions[3], plane = width * height;
        int shownWidth = (int)Math.Ceiling(width * view.Width), shownHeight = (int)Math.Ceiling(height * view.Height);
        return [.. Enumerable.Range(0, Count).Select(k => Enumerable.Range(k * count, count).Select(Mask).ToArray())];

        BinaryMask Mask(int place) => BinaryMask.FromLogits(logits.As<float>().Slice(place * plane, plane), width, shownWidth, shownHeight);
    }

    /// <summary>The points of all prompts while they are made.</summary>
    private sealed class Sheet
    {
        private readonly float[] _coordinates;
        private readonly float[] _labels;

        public Sheet(int prompts)
        {
            _coordinates = new float[prompts * PointCount * 2];
            _labels = new float[prompts * PointCount];
            Array.Fill(_labels, MaskHead.Padding);
            Points = RuntimeTensor.Of(_coordinates, prompts, PointCount, 2);
            Labels = RuntimeTensor.Of(_labels, prompts, PointCount);
        }

        public RuntimeTensor Points { get; }

        public RuntimeTensor Labels { get; }

        public void Put(int prompt, int point, double x, double y, bool isInside)
        {
            int place = (prompt * PointCount) + point;
            (_coordinates[2 * place], _coordinates[(2 * place) + 1], _labels[place]) = ((float)x, (float)y, isInside ? 1 : 0);
        }
    }
}
