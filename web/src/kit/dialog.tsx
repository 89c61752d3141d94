/** A layer above the page; Escape closes it and focus goes back to what opened it. */
import type { ReactNode } from "react";
import { Dialog as AriaDialog } from "react-aria-components/Dialog";
import { Heading } from "react-aria-components/Heading";
import { Modal, ModalOverlay } from "react-aria-components/Modal";
import styles from "./dialog.module.css";

interface Props {
  title: string;
  isOpen: boolean;
  onClose: () => void;
  children: ReactNode;
  isAtTop?: boolean;
  isTitleHidden?: boolean;
  /** As wide as what it shows, up to the window. */
  isWide?: boolean;
}

export function Dialog({ title, isOpen, onClose, children, isAtTop = false, isTitleHidden = false, isWide = false }: Props) {
  return (
    <ModalOverlay isOpen={isOpen} onOpenChange={(open) => !open && onClose()} isDismissable className={styles["veil"]} data-top={isAtTop || undefined}>
      <Modal className={styles["modal"]} data-wide={isWide || undefined}>
        <AriaDialog className={styles["dialog"]}>
          <Heading slot="title" className={isTitleHidden ? "hidden" : styles["title"]}>
            {title}
          </Heading>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}
