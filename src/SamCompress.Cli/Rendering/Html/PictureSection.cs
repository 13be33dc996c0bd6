using SamCompress.Cli.Jobs;
using SamCompress.Runtime.Evaluation;

namespace SamCompress.Cli.Rendering.Html;

/// <summary>The pictures whose masks agree least, with the masks of both models and where they differ.</summary>
internal static class PictureSection
{
    public static void Write(HtmlText html, IReadOnlyList<PictureOverlay> pictures)
    {
        if (pictures.Count == 0)
            return;
        html.Line($"""
            <section id="pictures"><h2>Where masks differ most</h2>
            <p>Each picture is asked with a grid of points. Shown are the masks that agree least, in the same colours on both sides; on the right is what differs.</p>
            <p><span class="key"><i style="background:{Css(ComparisonOverlay.Lost)}"></i>only in the original's mask</span>
            <span class="key"><i style="background:{Css(ComparisonOverlay.Gained)}"></i>only in the new model's</span></p>
            """);
        foreach (PictureOverlay picture in pictures)
        {
            string file = picture.Picture.File;
            html.Line($"""<figure class="masks"><figcaption><strong>{file}</strong> <span>mean IoU {Tables.Text(picture.Picture.MeanIou)}, least {Tables.Text(picture.Picture.MinIou)}</span></figcaption><div class="triple">""");
            Image(html, picture, picture.Teacher, "original", $"{file} with the masks of the original model");
            Image(html, picture, picture.Student, "new model", $"{file} with the masks of the new model");
            Image(html, picture, picture.Difference, "difference", $"{file} in grey, with the pixels in which the masks differ");
            html.Line($"</div></figure>");
        }

        html.Line($"</section>");
    }

    private static void Image(HtmlText html, PictureOverlay picture, byte[] png, string name, string alternative) => html.Line(
        $"""<div><img src="data:image/png;base64,{new Markup(Convert.ToBase64String(png))}" width="{picture.Width}" height="{picture.Height}" alt="{alternative}"><p class="aside">{name}</p></div>""");

    private static Markup Css((byte R, byte G, byte B) colour) => new($"#{colour.R:x2}{colour.G:x2}{colour.B:x2}");
}
