import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import type { Media, Part } from "@/api/types";
import { bytes, exact } from "@/lib/format";
import { useT } from "@/lib/i18n/i18n";
import { Button } from "@/ui/button";
import { Icon } from "@/ui/icon";

import { readSlice } from "../lib/body-client";
import { dataUrl, imageBytes, type ImageBytes } from "../lib/inline-image";
import { mediaBytes } from "../lib/transcript";

type MediaPart = Extract<Part, { kind: "image" | "audio" | "file" }>;

/** A picture, sound or file by its type and size. A picture is drawn from the record when someone asks. */
export function MediaView({ part, path }: { part: MediaPart; path: string }) {
  const t = useT();
  const [shown, setShown] = useState(false);
  const image = part.kind === "image" ? imageBytes(part.media) : null;
  const name = part.kind === "file" && part.name != null ? part.name : t(`talk.${part.kind}`);
  return (
    <figure className="flex flex-col items-start gap-2">
      <figcaption className="flex min-h-9 max-w-full flex-wrap items-center gap-x-2.5 rounded-2 border border-line-strong bg-sunken px-2.5 py-1 text-12 text-t2">
        <Icon name={part.kind === "image" ? "image" : "file"} />
        <span className="font-medium text-t1">{name}</span>
        <Where media={part.media} />
        {image === null ? null : <Button look="ghost" shape="small" onClick={() => { setShown(!shown); }}>{t(shown ? "common.hide" : "talk.showImage")}</Button>}
      </figcaption>
      {part.kind === "audio" && part.transcript != null ? <p className="text-12 text-t2">{t("talk.transcript", { text: part.transcript })}</p> : null}
      {shown && image !== null ? <Picture image={image} path={path} label={name} /> : null}
    </figure>
  );
}

function Where({ media }: { media: Media }) {
  const t = useT();
  const facts = [media.mime ?? ""];
  const size = mediaBytes(media);
  if (size !== null) facts.push(bytes(size));
  if (media.data_offset != null) facts.push(t("talk.atByte", { offset: exact(media.data_offset) }));
  if (media.file_id != null) facts.push(t("talk.mediaFile", { id: media.file_id }));
  return (
    <>
      <span className="min-w-0 text-t3">{facts.filter((fact) => fact !== "").join(" · ")}</span>
      {media.url == null ? null : <span className="min-w-0 truncate font-mono text-t3" title={t("talk.mediaUrl")}>{media.url}</span>}
    </>
  );
}

function Picture({ image, path, label }: { image: ImageBytes; path: string; label: string }) {
  const t = useT();
  const query = useQuery({
    queryKey: ["image", path, image.offset],
    queryFn: async () => dataUrl(image.mime, await readSlice(path, image.offset, image.chars)),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    retry: false,
  });
  if (query.isPending) return <i className="skeleton h-40! w-60" />;
  if (query.data == null) return <p className="text-12 text-fail">{t("talk.imageFailed")}</p>;
  return <img src={query.data} alt={label} className="max-h-105 max-w-full rounded-2 border border-line" />;
}
