import { AdminError, notFound } from "./admin-error.ts";
import { ids } from "./fields.ts";
import { inTenantOf } from "./in-tenant.ts";
import { route } from "./route.ts";
import { StoredFile, storedFile } from "./stored-file.ts";

interface FileRow {
  id: string;
  contentType: string;
  content: Uint8Array | null;
  state: string;
}

export const mediaRoutes = [
  route({
    method: "get",
    path: "/media/:id",
    summary: "A file that came with a message, to be saved; the list of messages has its id",
    role: "admin",
    params: ids("id"),
    answers: { 200: "Its bytes" },
    answer: storedFile,
    handle: async (context, { params }) => {
      const file = await inTenantOf(context, "MediaFile", params.id, async (tx) => {
        const [row] = await tx.$queryRaw<FileRow[]>`
          SELECT "id"::text, "contentType", "content", "state" FROM "MediaFile" WHERE "id" = ${params.id}::uuid`;
        if (row === undefined) throw notFound("file");
        return row;
      });
      const { id, contentType, content, state } = file;
      if (content === null)
        throw new AdminError("conflict", `There is nothing to save: this file is ${state}`);
      return { status: 200, body: new StoredFile(id, contentType, content) };
    },
  }),
];
